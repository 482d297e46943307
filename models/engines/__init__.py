"""One engine a file; imported only by the registry, when it is chosen."""
