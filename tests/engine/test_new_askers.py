"""Whoever asks for the first time is answered as everybody else: from the state that knows them."""

import pytest
from small_retailer import lines_of, make_engine

QUESTIONS = {
    "available at a level": lambda engine, who: engine.available("X", level="ship", **who),
    "raw available": lambda engine, who: engine.raw_available("X", **who),
    "check": lambda engine, who: engine.check("X", 3, **who),
    "explain": lambda engine, who: engine.explain("X", **who),
    "promise": lambda engine, who: engine.promise("X", 3, **who),
    "promise together": lambda engine, who: engine.promise_group([("X", 3)], **who),
    "source": lambda engine, who: lines_of(engine.source([("X", 3)], **who)),
    "best node": lambda engine, who: engine.best_nodes([0], **who).units.tolist(),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_the_first_answer_to_somebody_new_is_the_second_one_too(ask):
    engine = make_engine({("X", "A"): 5, ("X", "B"): 2})
    engine.set_quota("X", match={"org": "*"}, quantity=4)
    engine.reserve("O1", [("X", 1)], late=True)

    for k in range(80):
        who = {"attributes": {"org": f"{k}"}, "nodes": ("A", "B")[k % 3 : k % 3 + 1]}
        assert ask(engine, who) == ask(engine, who), k
