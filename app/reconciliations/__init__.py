"""Head-counts of personnel systems held against the directory: a diff first, then exactly that diff, no more people gone than may."""
