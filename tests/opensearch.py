"""OpenSearch on the wire: a server that answers what the adapter asks, as its REST API documents.

Films are kept in memory and searched exactly, where OpenSearch's graphs approximate; words count by
BM25 as Lucene computes it, with exact lengths where Lucene rounds them. Documents are found only
after a refresh, as there. Whatever it was not built for it refuses, so that no part of a request
passes unread:
https://docs.opensearch.org/latest/api-reference/
https://docs.opensearch.org/latest/vector-search/filter-search-knn/efficient-knn-filtering/
https://docs.opensearch.org/latest/mappings/supported-field-types/knn-spaces/
https://docs.opensearch.org/latest/im-plugin/similarity/
https://docs.opensearch.org/latest/api-reference/multi-search/
"""

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from tests.scripted_endpoint import Handler, ScriptedEndpoint, reply, scripted_endpoint

Json = dict[str, Any]
MOST_BYTES = 100 * 2**20
LONGEST_ID = 512
MOST_TERMS = 65_536
WINDOW = 10_000
ENGINES = {"faiss": 16_000, "lucene": 16_000}


class Refused(Exception):
    """An error as OpenSearch answers it."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.kind = status, kind

    def body(self) -> Json:
        cause = {"type": self.kind, "reason": str(self)}
        return {"error": {"root_cause": [cause], **cause}, "status": self.status}


class Index:
    """One index: what was written, and what searches see of it since the last refresh."""

    def __init__(self, body: Json) -> None:
        settings = dict(body["settings"]["index"])
        expect(body["settings"].keys() == {"index"} and settings.pop("knn") is True, "knn")
        self.similarity: Json = settings.pop("similarity")
        expect(not settings, "settings")
        expect(all(kind["type"] == "BM25" for kind in self.similarity.values()), "similarity")
        self.fields: Json = body["mappings"]["properties"]
        expect(body["mappings"]["dynamic"] == "strict", "dynamic")
        for spec in self.vectors.values():
            method = spec["method"]
            expect(method["name"] == "hnsw" and method["space_type"] == "innerproduct", "method")
            expect(0 < spec["dimension"] <= ENGINES[method["engine"]], "dimension")
        self.body = body
        self.written: dict[str, Json] = {}
        self.seen: dict[str, Json] = {}
        self.counted: dict[str, dict[str, Counter[str]]] = {}

    @property
    def vectors(self) -> Json:
        return {
            name: spec for name, spec in self.fields.items() if spec.get("type") == "knn_vector"
        }

    def field(self, path: str) -> Json:
        """What a mapping says of a field within an object."""
        outer, _, inner = path.partition(".")
        spec: Json = self.fields[outer]["properties"][inner]
        expect(spec.keys() == {"type", "analyzer", "similarity"}, "field")
        expect((spec["type"], spec["analyzer"]) == ("text", "whitespace"), "analyzer")
        return spec

    def bm25(self, path: str, query: str) -> dict[str, float]:
        """The score of each document that holds any of the words, as Lucene computes it."""
        kind = self.similarity[self.field(path)["similarity"]]
        if path not in self.counted:
            outer, _, inner = path.partition(".")
            texts = {i: source[outer][inner].split() for i, source in self.seen.items()}
            self.counted[path] = {i: Counter(words) for i, words in texts.items() if words}
        documents = self.counted[path]
        lengths = {i: words.total() for i, words in documents.items()}
        mean = sum(lengths.values()) / max(len(documents), 1)
        scores: dict[str, float] = {}
        for word in query.split():
            holding = {i: words[word] for i, words in documents.items() if word in words}
            idf = math.log(1 + (len(documents) - len(holding) + 0.5) / (len(holding) + 0.5))
            for i, count in holding.items():
                length = 1 - kind["b"] + kind["b"] * lengths[i] / mean
                scores[i] = scores.get(i, 0.0) + idf * count / (count + kind["k1"] * length)
        return scores

    def write(self, item_id: str, source: Json) -> int:
        """The status of an index action."""
        if len(item_id.encode()) > LONGEST_ID:
            raise Refused(400, "illegal_argument_exception", "id is too long")
        if unknown := source.keys() - self.fields.keys():
            raise Refused(400, "strict_dynamic_mapping_exception", f"{unknown} not allowed")
        for name, spec in self.vectors.items():
            if name in source and len(source[name]) != spec["dimension"]:
                raise Refused(400, "mapper_parsing_exception", f"{name} has another dimension")
        status = 200 if item_id in self.written else 201
        self.written[item_id] = source
        return status

    def refresh(self) -> None:
        self.seen, self.counted = dict(self.written), {}

    def passing(self, query: Json) -> set[str]:
        return {item_id for item_id, source in self.seen.items() if matches(query, item_id, source)}


class Cluster:
    """The state of the server: its indices, by name."""

    def __init__(self) -> None:
        self.indices: dict[str, Index] = {}

    def answer(self, method: str, path: str, params: Json, body: bytes) -> Any:  # noqa: ANN401
        for wanted, pattern, action in ROUTES:
            if method == wanted and (found := re.fullmatch(pattern, path)):
                return action(self, *map(unquote, found.groups()), params, body)
        raise Refused(405, "method_not_allowed", f"{method} {path}")

    def index(self, name: str) -> Index:
        if name not in self.indices:
            raise Refused(404, "index_not_found_exception", f"no such index [{name}]")
        return self.indices[name]

    def exists(self, name: str, _params: Json, _body: bytes) -> Json:
        self.index(name)
        return {}

    def create(self, name: str, _params: Json, body: bytes) -> Json:
        if name in self.indices:
            raise Refused(400, "resource_already_exists_exception", f"index [{name}] exists")
        if name != name.lower() or name.startswith(("_", "-", "+")):
            raise Refused(400, "invalid_index_name_exception", f"Invalid index name [{name}]")
        self.indices[name] = Index(json.loads(body))
        return {"acknowledged": True, "index": name}

    def delete(self, name: str, _params: Json, _body: bytes) -> Json:
        self.index(name)
        del self.indices[name]
        return {"acknowledged": True}

    def mapping(self, name: str, _params: Json, _body: bytes) -> Json:
        return {name: {"mappings": self.index(name).body["mappings"]}}

    def count(self, name: str, _params: Json, _body: bytes) -> Json:
        return {"count": len(self.index(name).seen)}

    def bulk(self, params: Json, body: bytes) -> Json:
        lines = body.decode().splitlines()
        expect(body.endswith(b"\n") and len(lines) % 2 == 0, "newlines")
        items = []
        for head, source in zip(lines[::2], lines[1::2], strict=True):
            expect((action := json.loads(head)).keys() == {"index"}, "action")
            target = action["index"]
            result: Json = {"_index": target["_index"], "_id": target["_id"]}
            try:
                written = self.index(target["_index"]).write(target["_id"], json.loads(source))
                result["status"] = written
            except Refused as error:
                result |= {"status": error.status, "error": error.body()["error"]}
            items.append({"index": result})
        if params.get("refresh") == "true":
            for index in self.indices.values():
                index.refresh()
        return {"errors": any("error" in item["index"] for item in items), "items": items}

    def delete_by_query(self, name: str, params: Json, body: bytes) -> Json:
        index = self.index(name)
        gone = index.passing(json.loads(body)["query"])
        for item_id in gone:
            index.written.pop(item_id)
        if params.get("refresh") == "true":
            index.refresh()
        return {"deleted": len(gone), "failures": []}

    def mget(self, name: str, params: Json, body: bytes) -> Json:
        written, ids = self.index(name).written, json.loads(body)["ids"]
        if not ids:
            raise Refused(400, "action_request_validation_exception", "no documents to get")
        docs = [
            {"_id": item_id, "found": True, "_source": picked(written[item_id], params["_source"])}
            if item_id in written
            else {"_id": item_id, "found": False}
            for item_id in ids
        ]
        return {"docs": docs}

    def search(self, name: str, _params: Json, body: bytes) -> Json:
        index, asked = self.index(name), json.loads(body)
        if asked["size"] > WINDOW:
            raise Refused(400, "illegal_argument_exception", "Result window is too large")
        if "query" not in asked:
            hits = in_order(index, asked)
        elif "knn" in asked["query"]:
            hits = nearest(index, asked)
        else:
            hits = by_words(index, asked)
        return {"timed_out": False, "hits": {"hits": hits}}

    def msearch(self, name: str, params: Json, body: bytes) -> Json:
        lines = body.splitlines(keepends=True)
        expect(body.endswith(b"\n") and len(lines) % 2 == 0, "newlines")
        expect(all(json.loads(head) == {} for head in lines[::2]), "headers")
        responses = []
        for line in lines[1::2]:
            try:
                responses.append({**self.search(name, params, line), "status": 200})
            except Refused as error:
                responses.append(error.body())
        return {"took": 1, "responses": responses}


ROUTES: list[tuple[str, str, Callable[..., Any]]] = [
    ("HEAD", "/([^/_][^/]*)", Cluster.exists),
    ("PUT", "/([^/_][^/]*)", Cluster.create),
    ("DELETE", "/([^/_][^/]*)", Cluster.delete),
    ("GET", "/([^/]+)/_mapping", Cluster.mapping),
    ("GET", "/([^/]+)/_count", Cluster.count),
    ("POST", "/([^/]+)/_count", Cluster.count),
    ("POST", "/_bulk", Cluster.bulk),
    ("POST", "/([^/]+)/_delete_by_query", Cluster.delete_by_query),
    ("POST", "/([^/]+)/_mget", Cluster.mget),
    ("POST", "/([^/]+)/_search", Cluster.search),
    ("POST", "/([^/]+)/_msearch", Cluster.msearch),
]


def expect(holds: bool, what: str) -> None:
    """Refuse what this server was not built for."""
    if not holds:
        raise Refused(400, "illegal_argument_exception", f"not built for this: {what}")


def nearest(index: Index, asked: Json) -> list[Json]:
    """The k nearest of those that pass the filter."""
    expect(asked.keys() == {"size", "_source", "query"} and asked["_source"] is False, "search")
    expect(asked["query"].keys() == {"knn"}, "query")
    ((field, knn),) = asked["query"]["knn"].items()
    expect(knn.keys() <= {"vector", "k", "filter", "method_parameters"}, "knn")
    vector = np.array(knn["vector"])
    if len(vector) != index.vectors[field]["dimension"] or not 0 < knn["k"] <= WINDOW:
        raise Refused(400, "search_phase_execution_exception", "vector or k do not fit")
    allowed = index.passing(knn["filter"]) if "filter" in knn else index.seen.keys()
    scored = {
        item_id: score(float(vector @ np.array(index.seen[item_id][field])))
        for item_id in allowed
        if field in index.seen[item_id]
    }
    best = sorted(scored, key=lambda item_id: -scored[item_id])[: min(knn["k"], asked["size"])]
    return [{"_id": item_id, "_score": scored[item_id]} for item_id in best]


def by_words(index: Index, asked: Json) -> list[Json]:
    """The best of those that hold a word and pass the conditions."""
    expect(asked.keys() == {"size", "_source", "query"} and asked["_source"] is False, "search")
    conditions = dict(asked["query"]["bool"])
    [must] = conditions.pop("must")
    expect(must.keys() == {"match"}, "must")
    [(field, match)] = must["match"].items()
    expect(match.keys() == {"query"}, "match")
    allowed = index.passing({"bool": conditions})
    scored = {i: s for i, s in index.bm25(field, match["query"]).items() if i in allowed}
    best = sorted(scored, key=lambda item_id: -scored[item_id])[: asked["size"]]
    return [{"_id": item_id, "_score": scored[item_id]} for item_id in best]


def in_order(index: Index, asked: Json) -> list[Json]:
    """A page of all documents by one keyword."""
    ((field, direction),) = asked["sort"][0].items()
    expect(index.fields[field]["type"] == "keyword" and direction == "asc", "sort")
    keys = sorted((source[field], item_id) for item_id, source in index.seen.items())
    after = asked.get("search_after")
    page = [key for key in keys if after is None or key[0] > after[0]][: asked["size"]]
    return [
        {
            "_id": item_id,
            "sort": [value],
            "_source": {name: index.seen[item_id][name] for name in asked["_source"]},
        }
        for value, item_id in page
    ]


def score(product: float) -> float:
    """As the documentation of spaces gives it for innerproduct."""
    return product + 1 if product >= 0 else 1 / (1 - product)


def picked(source: Json, fields: str) -> Json:
    return {name: source[name] for name in fields.split(",") if name in source}


def matches(query: Json, item_id: str, source: Json) -> bool:
    ((kind, clause),) = query.items()
    if kind == "bool":
        expect(clause.keys() <= {"filter", "must_not"}, "bool")
        return all(matches(each, item_id, source) for each in clause.get("filter", ())) and not any(
            matches(each, item_id, source) for each in clause.get("must_not", ())
        )
    if kind == "ids":
        expect(len(clause["values"]) <= MOST_TERMS, "ids")
        return item_id in clause["values"]
    ((field, asked),) = clause.items()
    value = source.get(field)
    if kind == "term":
        return asked in value if isinstance(value, list) else asked == value
    expect(kind == "range" and asked.keys() <= {"gte", "lte"}, kind)
    return value is not None and asked.get("gte", value) <= value <= asked.get("lte", value)


def serving(cluster: Cluster, credentials: str | None = None) -> Callable[[Handler], None]:
    """An act that answers from the cluster, to those with "user:password" if any are asked for."""
    wanted = credentials and "Basic " + base64.b64encode(credentials.encode()).decode()

    def act(handler: Handler) -> None:
        address = urlsplit(handler.path)
        params = {name: values[0] for name, values in parse_qs(address.query).items()}
        try:
            if wanted and handler.headers["authorization"] != wanted:
                raise Refused(401, "security_exception", "missing authentication credentials")
            if len(handler.body) > MOST_BYTES:
                raise Refused(413, "content_too_long_exception", "too long")
            made = cluster.answer(handler.command, address.path, params, handler.body)
            status = int(HTTPStatus.OK)
        except Refused as error:
            status, made = error.status, error.body()
        body = b"" if handler.command == "HEAD" else json.dumps(made).encode()
        reply(status, body)(handler)

    return act


@contextmanager
def opensearch(credentials: str | None = None) -> Iterator[ScriptedEndpoint]:
    """A running, empty cluster."""
    with scripted_endpoint() as server:
        server.script.append(serving(Cluster(), credentials))
        yield server
