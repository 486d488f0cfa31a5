"""What the number plan and the exchanges that switch it say of each other, and whether the plan says of itself what is true."""
