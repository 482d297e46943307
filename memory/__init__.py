"""What is kept: the ledger, the knowledge base and its citations."""
