"""What is collected of people and on which ground: the forms as told, privacy notices and who saw them, consents given and withdrawn."""
