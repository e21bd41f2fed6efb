"""The evaluation harness: MovieLens strangers, three tasks, tuned peers, one table."""
