"""Files that requests rest on: taken in, judged, sealed, and shown to those whom the request concerns."""
