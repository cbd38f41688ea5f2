"""What the reranker is compared with: mimus-embed alone and BM25 alone."""

import math
from collections import Counter

from meanings import normalise

# The usual constants of BM25.
K1, B = 1.2, 0.75


def embedder(folder, kept=None):
    """A function from texts to unit vectors by sentence-transformers, in 32 bits. The last vectors are kept in the file `kept`, for the next run."""
    import torch

    def embed(texts):
        if kept and kept.exists() and (old := torch.load(kept))["texts"] == texts:
            return old["vectors"]
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder), device="cpu").float()
        vectors = torch.tensor(model.encode(texts, batch_size=128, show_progress_bar=False))
        if kept:
            torch.save({"texts": texts, "vectors": vectors}, kept)
        return vectors

    return embed


class Bm25:
    def __init__(self, documents):
        self.counts = [Counter(normalise(text).split()) for text in documents]
        self.lengths = [sum(c.values()) for c in self.counts]
        self.mean = sum(self.lengths) / len(documents)
        frequency = Counter(word for c in self.counts for word in c)
        self.idf = {word: math.log(1 + (len(documents) - n + 0.5) / (n + 0.5)) for word, n in frequency.items()}

    def score(self, query, index):
        counts, scale = self.counts[index], K1 * (1 - B + B * self.lengths[index] / self.mean)
        return sum(self.idf[w] * counts[w] * (K1 + 1) / (counts[w] + scale) for w in normalise(query).split() if w in counts)
