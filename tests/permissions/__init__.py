"""The pack, the plan, and rights as of now."""
