"""Films, their vectors and words in OpenSearch, one document each (extra ``[opensearch]``).

Vectors are searched by the k-NN plugin's HNSW graphs, with the filter applied on the way; words by
BM25, stemmed here, so that they are the same words as everywhere. There are
no transactions: of a batch that fails some films may be stored, each of them whole, and the next
indexing writes the rest.
"""

# ruff: noqa: D102 - the port documents the methods

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from opensearchpy import OpenSearch
from opensearchpy.exceptions import ImproperlyConfigured, OpenSearchException, RequestError
from opensearchpy.helpers import bulk

from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.lexical import BM25, WHOLE
from recommender.models import Filters, Item
from recommender.stores.ports import (
    Hit,
    IndexedItem,
    ItemStore,
    Space,
    Vector,
    WordIndex,
    other_length,
)
from recommender.text import FIELDS as TEXT_FIELDS
from recommender.text import index_terms

FIELDS: Mapping[Space, str] = {"text": "embedding", "fused": "fused"}
HNSW = {"m": 32, "ef_construction": 200}
EF_SEARCH = 400
WORDS = "words"
READ: Mapping[str, Callable[[Item], list[str]]] = {WHOLE: index_terms, **TEXT_FIELDS}
"""A film's words, all of them and by field."""
PAGE = 1000
"""Of films that one request names or reads."""
RETRIED = (429, 502, 503, 504)
RETRIES = 2
FIRST_WAIT, LONGEST_WAIT = 1, 8
"""Seconds before films that the server was too busy for are sent again."""

Document = dict[str, Any]


def connect(
    url: str, index: str, dim: int, fused_dim: int, timeout: float = 5.0, region: str | None = None
) -> "OpenSearchItemStore":
    """The store in a cluster, its index made on first use for text vectors of ``dim`` numbers.

    ``url`` may hold user and password. With ``region`` requests are signed for AWS's service.

    Raises InvalidRequest when the address, or who asks, is refused.
    """
    try:
        client = OpenSearch(
            hosts=[url],
            http_auth=_signer(region) if region else None,
            timeout=timeout,
            max_retries=RETRIES,
            retry_on_status=RETRIED,
            retry_on_timeout=True,
        )
        return OpenSearchItemStore(client, index, dim, fused_dim)
    except (ValueError, ImproperlyConfigured) as error:
        raise InvalidRequest(f"OPENSEARCH_URL is not an address: {error}.") from error
    except StoreUnavailable as error:
        raise InvalidRequest(
            f"{error.detail}. Check that it runs with the k-NN plugin, OPENSEARCH_URL, and what "
            "its user may do."
        ) from error


class OpenSearchItemStore(ItemStore, WordIndex):
    """ItemStore and WordIndex over one index."""

    def __init__(self, client: OpenSearch, index: str, dim: int, fused_dim: int) -> None:
        self._client = client
        self._index = index
        self._fused_dim = fused_dim
        with _answering():
            if not client.indices.exists(index=index):
                self._make(dim)

    def fingerprints(self) -> dict[str, str]:
        return {hit["_id"]: hit["_source"]["fingerprint"] for hit in self._every("fingerprint")}

    def hold(self, dim: int) -> None:
        with _answering():
            mapping = self._client.indices.get_mapping(index=self._index)
            fields = next(iter(mapping.values()))["mappings"]["properties"]
            held, filled = fields[FIELDS["text"]]["dimension"], self._count()
            if filled and held != dim:
                raise other_length(held, dim)
            if filled and WORDS not in fields:
                raise InvalidRequest(
                    "The index in OpenSearch is of a release that kept no words there. Make it "
                    "anew: reelwise index --anew"
                )
            if held == dim and WORDS in fields:
                return
            self._client.indices.delete(index=self._index)
            self._make(dim)

    def upsert(self, items: Sequence[IndexedItem]) -> None:
        actions = [
            {"_index": self._index, "_id": film.item.item_id, "_source": _document(film)}
            for film in items
        ]
        with _answering():
            _, refused = bulk(
                self._client,
                actions,
                refresh=True,  # what is stored is found: indexing waits for it, searches never do
                raise_on_error=False,  # it would raise before it tries again
                max_retries=RETRIES,
                initial_backoff=FIRST_WAIT,
                max_backoff=LONGEST_WAIT,
            )
        if refused:
            first = refused[0]["index"]
            raise StoreUnavailable(
                f"OpenSearch: refused {len(refused)} of {len(items)} films, the first with "
                f"{first['status']} {first['error']['type']}"
            )

    def remove(self, item_ids: Sequence[str]) -> None:
        with _answering():
            for page in _paged(item_ids):
                self._client.delete_by_query(
                    index=self._index, body={"query": {"ids": {"values": page}}}, refresh=True
                )

    def all(self) -> Iterable[Item]:
        return [Item.model_validate(hit["_source"]["item"]) for hit in self._every("item")]

    def nearest(
        self,
        vector: Vector,
        k: int,
        filters: Filters,
        exclude: Sequence[str] = (),
        space: Space = "text",
    ) -> list[Hit]:
        asked: Document = {
            "vector": vector.tolist(),
            "k": k,
            "method_parameters": {"ef_search": max(EF_SEARCH, k)},
        }
        if conditions := _conditions(filters, exclude):
            asked["filter"] = {"bool": conditions}
        body = {"size": k, "_source": False, "query": {"knn": {FIELDS[space]: asked}}}
        with _answering():
            found = self._client.search(index=self._index, body=body)
        return [Hit(hit["_id"], _product(hit["_score"])) for hit in found["hits"]["hits"]]

    def best(
        self, words: Sequence[str], k: int, filters: Filters, exclude: Sequence[str] = ()
    ) -> list[Hit]:
        body = _by_words(WHOLE, words, k, _conditions(filters, exclude))
        with _answering():
            return _hits(self._client.search(index=self._index, body=body))

    def scores(
        self, parts: Sequence[tuple[str, Sequence[str]]], item_ids: Sequence[str]
    ) -> list[Mapping[str, float]]:
        only = {"filter": [{"ids": {"values": list(item_ids)}}]}
        searches = [_by_words(field, words, len(item_ids), only) for field, words in parts]
        with _answering():
            lines = [line for search in searches for line in ({}, search)]
            found = self._client.msearch(index=self._index, body=lines)["responses"]
        if failed := [answer for answer in found if "error" in answer]:
            raise StoreUnavailable(f"OpenSearch: a search by words failed, {failed[0]['status']}")
        return [{hit.item_id: hit.score for hit in _hits(answer)} for answer in found]

    def vectors(self, item_ids: Sequence[str], space: Space = "text") -> Mapping[str, Vector]:
        field = FIELDS[space]
        vectors: dict[str, Vector] = {}
        with _answering():
            for page in _paged(item_ids):
                found = self._client.mget(
                    index=self._index, body={"ids": page}, params={"_source": field}
                )
                sources = {doc["_id"]: doc.get("_source", {}) for doc in found["docs"]}
                vectors.update(
                    (item_id, np.array(source[field], dtype=np.float32))
                    for item_id, source in sources.items()
                    if source.get(field)
                )
        return vectors

    def mean_vector(self) -> Vector | None:
        field, sums, count = FIELDS["text"], np.zeros(1), 0
        for hit in self._every(field):
            sums, count = sums + np.array(hit["_source"][field]), count + 1
        return np.asarray(sums / count, dtype=np.float32) if count else None

    def _count(self) -> int:
        count: int = self._client.count(index=self._index)["count"]
        return count

    def _make(self, dim: int) -> None:
        settings = {"index": {"knn": True, "similarity": {WORDS: {"type": "BM25", **BM25}}}}
        body = {"settings": settings, "mappings": _mapping(dim, self._fused_dim)}
        try:
            self._client.indices.create(index=self._index, body=body)
        except RequestError as error:
            if error.error != "resource_already_exists_exception":  # another server was first
                raise

    def _every(self, field: str) -> Iterator[Any]:
        """All documents with one of their fields, read some at a time in the order of ids."""
        after: Document = {}
        while True:
            body = {"size": PAGE, "_source": [field], "sort": [{"item_id": "asc"}], **after}
            with _answering():
                hits = self._client.search(index=self._index, body=body)["hits"]["hits"]
            yield from hits
            if len(hits) < PAGE:
                return
            after = {"search_after": hits[-1]["sort"]}


@contextmanager
def _answering() -> Iterator[None]:
    """Raises StoreUnavailable for what goes wrong in OpenSearch or on the way to it.

    Its details name what kind of failure it is, never the request, which may hold a credential.
    """
    try:
        yield
    except OpenSearchException as error:
        status = getattr(error, "status_code", "")
        raise StoreUnavailable(f"OpenSearch: {type(error).__name__} {status}".rstrip()) from error


def _signer(region: str) -> Any:  # noqa: ANN401 - a callable that the client types loosely
    import boto3  # an extra of its own, and slow to import
    from opensearchpy import Urllib3AWSV4SignerAuth

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise InvalidRequest(
            "OPENSEARCH_AWS_REGION asks for signed requests and there are no AWS credentials: set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them."
        )
    return Urllib3AWSV4SignerAuth(credentials, region)


def _mapping(dim: int, fused_dim: int) -> Document:
    """What filters ask for is indexed; the film itself is kept as it is."""

    def vectors(length: int) -> Document:
        method = {
            "name": "hnsw",
            "engine": "faiss",
            "space_type": "innerproduct",
            "parameters": {**HNSW, "ef_search": EF_SEARCH},
        }
        return {"type": "knn_vector", "dimension": length, "method": method}

    terms = {"type": "text", "analyzer": "whitespace", "similarity": WORDS}
    return {
        "dynamic": "strict",
        "properties": {
            "item_id": {"type": "keyword"},
            "year": {"type": "integer"},
            "genres": {"type": "keyword"},
            "people": {"type": "keyword"},
            "fingerprint": {"type": "keyword", "index": False},
            "item": {"type": "object", "enabled": False},
            WORDS: {"properties": dict.fromkeys(READ, terms)},
            FIELDS["text"]: vectors(dim),
            FIELDS["fused"]: vectors(fused_dim),
        },
    }


def _document(film: IndexedItem) -> Document:
    item = film.item
    document: Document = {
        "item_id": item.item_id,
        "genres": item.genres,
        "people": item.people,
        "fingerprint": film.fingerprint,
        "item": item.model_dump(mode="json"),
        WORDS: {name: " ".join(read(item)) for name, read in READ.items()},
        FIELDS["text"]: film.vector.tolist(),
    }
    if item.year is not None:
        document["year"] = item.year
    if film.fused is not None:
        document[FIELDS["fused"]] = film.fused.tolist()
    return document


def _by_words(field: str, words: Sequence[str], k: int, conditions: Document) -> Document:
    """A search for films that hold any of the words in a field."""
    match = {"match": {f"{WORDS}.{field}": {"query": " ".join(words)}}}
    return {"size": k, "_source": False, "query": {"bool": {"must": [match], **conditions}}}


def _hits(answer: Document) -> list[Hit]:
    return [Hit(hit["_id"], hit["_score"]) for hit in answer["hits"]["hits"]]


def _conditions(filters: Filters, exclude: Sequence[str]) -> Document:
    """The clauses of a bool query; none for no filter."""
    must: list[Document] = [
        *({"term": {"genres": name}} for name in filters.include_genres),
        *({"term": {"people": name}} for name in filters.people),
    ]
    if filters.year_from is not None or filters.year_to is not None:
        limits = {"gte": filters.year_from, "lte": filters.year_to}
        must.append({"range": {"year": {k: v for k, v in limits.items() if v is not None}}})
    must_not: list[Document] = [
        *({"term": {"genres": name}} for name in filters.exclude_genres),
        *({"term": {"people": name}} for name in filters.exclude_people),
    ]
    if exclude:
        must_not.append({"ids": {"values": list(exclude)}})
    clauses = {"filter": must, "must_not": must_not}
    return {name: each for name, each in clauses.items() if each}


def _product(score: float) -> float:
    """The inner product p of a score, which is 1 + p from 0 on and 1 / (1 - p) below."""
    return score - 1 if score >= 1 else 1 - 1 / score


def _paged(item_ids: Sequence[str]) -> Iterator[list[str]]:
    unique = list(dict.fromkeys(item_ids))
    return (unique[start : start + PAGE] for start in range(0, len(unique), PAGE))
