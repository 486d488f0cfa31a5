"""Who is calling: tokens, their issuers, and the accounts and clients that they name. Nothing here decides rights."""
