"""Who may see and do what: the pack as data, standing as facts, the plan as their product. Decides; opens and logs nothing."""
