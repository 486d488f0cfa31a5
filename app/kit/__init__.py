"""What every domain needs and none owns: errors, tables, transactions, routing. Small on purpose."""
