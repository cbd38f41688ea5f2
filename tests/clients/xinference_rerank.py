"""Reranking with the client of one release: `xinference_rerank.py BASE_URL RELEASE`."""

import sys

from checks import check, equal, holds, raises, run_all

from xinference_client import RESTfulClient
from xinference_client.client.restful.restful_client import RESTfulRerankModelHandle

BASE_URL, RELEASE = sys.argv[1], sys.argv[2]
CLIENT = RESTfulClient(BASE_URL)
QUERY = "A man is eating pasta."
DOCUMENTS = ["The girl is carrying a baby.", "A man is eating food.", "A cheetah is running behind its prey."]


@check
def documents_are_ranked():
    uid = CLIENT.launch_model(model_name="mimus-rerank", model_type="rerank")
    model = CLIENT.get_model(uid)
    holds(type(model).__name__, "Rerank")
    answer = model.rerank(DOCUMENTS, QUERY, return_documents=True)
    equal(answer["results"][0]["index"], 1)
    document = answer["results"][0]["document"]
    # Clients up to 0.12 put the text itself there.
    equal(document["text"] if isinstance(document, dict) else document, DOCUMENTS[1])
    scores = [result["relevance_score"] for result in answer["results"]]
    equal(scores, sorted(scores, reverse=True))
    equal(len(model.rerank(DOCUMENTS, QUERY, top_n=1)["results"]), 1)
    equal(model.rerank([], QUERY)["results"], [])
    CLIENT.terminate_model(uid)


@check
def a_model_of_another_kind_is_told():
    uid = CLIENT.launch_model(model_name="mimus-embed", model_type="embedding")
    model = RESTfulRerankModelHandle(uid, BASE_URL, {})
    holds(str(raises(RuntimeError, lambda: model.rerank(DOCUMENTS, QUERY))), "of the type embedding")
    CLIENT.terminate_model(uid)


if __name__ == "__main__":
    run_all()
