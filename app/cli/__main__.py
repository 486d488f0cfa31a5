"""``python -m app.cli``: the same entry point as ``duanhao``, where the script is not on the path."""

from app.cli.root import main

main()
