"""Texts compared and sorted, and what is said where a model is missing."""

from harness import expect, opened

with opened() as web:
    page = web.page("/#/playground/embeddings")

    # Two about cats and two about trains: each pair is more alike than any other two.
    page.get_by_role("button", name="Compare").click()
    rows = page.locator(".heatmap tbody tr")
    expect(rows).to_have_count(4)
    values = [[float(text) for text in row.locator("td").all_inner_texts()] for row in rows.all()]
    assert all(values[index][index] == 1 for index in range(4)), values
    assert min(values[0][1], values[2][3]) > max(values[0][2], values[0][3], values[1][2], values[1][3]), values
    colours = "cells => cells.map((cell) => getComputedStyle(cell).backgroundColor)"
    heats = rows.first.locator("td").evaluate_all(colours)
    assert heats[0] != heats[2], "more alike is darker"
    web.shot(page, "playground-similarity")
    page.fill("#texts", "one")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("alert")).to_have_text("There is nothing to compare. Write at least two lines.")
    page.fill("#texts", "\n".join("text %d" % number for number in range(25)))
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("alert")).to_contain_text("25 texts are too many")

    # Documents come sorted, with a bar each.
    page.get_by_role("tab", name="Relevance").click()
    page.get_by_role("button", name="Sort").click()
    bars = page.get_by_role("list", name="Documents by relevance").get_by_role("listitem")
    expect(bars).to_have_count(4)
    expect(bars.first).to_contain_text("The largest animal is the blue whale.")
    scores = [float(text) for text in page.locator(".bar-number").all_inner_texts()]
    assert scores == sorted(scores, reverse=True) and scores[0] > 0.5, scores
    web.shot(page, "playground-relevance")

    # Tabs go by arrows, and have addresses.
    page.get_by_role("tab", name="Relevance").press("ArrowRight")
    expect(page.get_by_role("tab", name="Drawing")).to_be_focused()
    assert page.url.endswith("#/playground/imaging"), page.url
    expect(page.get_by_role("tabpanel")).to_have_text("No model that makes pictures is loaded. When one is, it can be asked here.")

    # A model that makes pictures brings the control.
    models = page.evaluate("() => fetch('/_mimus/models').then((answer) => answer.json())")
    models["models"].append(dict(models["models"][0], name="painter", abilities=["text2image"]))
    page.route("**/_mimus/models", lambda route: route.fulfill(json=models))
    page.reload()
    expect(page.get_by_role("button", name="Draw", exact=True)).to_be_visible()
