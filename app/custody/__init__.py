"""What there is nobody to be asked about: a founding, what takes two operators, service accounts whose owner has left."""
