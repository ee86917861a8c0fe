"""The rules of each transaction kind, one module per kind."""
