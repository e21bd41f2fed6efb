"""What a written explanation claims, and whether the evidence says so.

Whoever writes an explanation, a language model above all, may invent. Here its text is cut into
sentences, and a sentence stands only when each of its clauses can be traced to one fact: every name
and number in it is the fact's, what it says of the person is what the fact says of them, and all
its other words are of a short list that claims nothing. What cannot be traced is dropped.
"""

from recommender.claims.checker import ClaimChecker
from recommender.claims.sentences import Splitter

__all__ = ["ClaimChecker", "Splitter"]
