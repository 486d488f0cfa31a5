"""HTTP faces of the foundations, and the list of all routers."""
