"""A load test: people who swipe, search, ask why and chat, all at once, for minutes.

``python -m tests.load`` starts a server, its people, and reports; it needs the extra ``load``.
"""
