"""The transformer: the text encoder port, its embedded implementation and its export."""
