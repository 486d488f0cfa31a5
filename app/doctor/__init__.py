"""What is wrong with an installation and how to mend it, found without changing anything, in whatever state the installation is."""
