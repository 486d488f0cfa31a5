"""The rules as people keep them: versions read, checked and tried, put in force with an approved request, simulated before, explained."""
