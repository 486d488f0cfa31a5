"""Telephones, softphones and gateways: what there is, who has it, and how each shows that it is itself."""
