"""Reranking by Cohere's official client, in both generations of its API: `cohere_rerank.py BASE_URL MODEL`."""

import sys

import cohere

from checks import check, equal, raises, run_all

BASE_URL, MODEL = sys.argv[1], sys.argv[2]

new = cohere.ClientV2(api_key="unused", base_url=BASE_URL, timeout=120)
old = cohere.Client(api_key="unused", base_url=BASE_URL, timeout=120)

QUERY = "What is the largest animal?"
DOCUMENTS = ["Paris is the capital of France.", "The largest animal is the blue whale.", "Bread is made of flour."]


@check
def the_best_document_comes_first():
    for client in (new, old):
        answer = client.rerank(model=MODEL, query=QUERY, documents=DOCUMENTS)
        equal(answer.results[0].index, 1)
        equal(sorted(result.index for result in answer.results), [0, 1, 2])
        scores = [result.relevance_score for result in answer.results]
        equal(scores, sorted(scores, reverse=True))
        assert all(0 <= score <= 1 for score in scores), scores
        assert answer.id, answer
        equal(answer.meta.billed_units.search_units, 1)


@check
def as_many_come_as_are_asked_for():
    for client in (new, old):
        equal(len(client.rerank(model=MODEL, query=QUERY, documents=DOCUMENTS, top_n=2).results), 2)


@check
def the_old_api_returns_documents_and_takes_objects():
    documents = [{"text": text} for text in DOCUMENTS]
    answer = old.rerank(model=MODEL, query=QUERY, documents=documents, return_documents=True)
    equal(answer.results[0].document.text, DOCUMENTS[1])


@check
def an_unknown_model_is_an_error_of_its_own():
    raises(cohere.NotFoundError, lambda: new.rerank(model="none", query=QUERY, documents=DOCUMENTS))


@check
def no_documents_are_the_callers_fault():
    raises(cohere.BadRequestError, lambda: new.rerank(model=MODEL, query=QUERY, documents=[]))


run_all()
