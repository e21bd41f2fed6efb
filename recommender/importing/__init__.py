"""Catalogues of others, read as films: MovieLens, TMDB, and files with a mapping."""
