from albert_tf.messages import brief, listed, plain


def test_ordinary_values_stay_as_they_are():
    assert brief("hidden_size") == "'hidden_size'"
    assert brief({"a": [1, 2.5, None]}) == "{'a': [1, 2.5, None]}"
    assert plain("bert/pooler") == "bert/pooler" and listed(["a", "b"]) == "a, b"


def test_odd_values_take_one_short_line():
    doubled, nested = (), ()
    for _ in range(60):
        doubled = (doubled, doubled)
    for _ in range(200_000):
        nested = (nested,)
    for value in (doubled, nested, "x" * 10**7, 10**400, 10**5000, ["y" * 1000] * 1000, "a\nb"):
        assert len(brief(value)) <= 120 and "\n" not in brief(value)
        assert len(plain(value)) <= 120 and "\n" not in plain(value)
    assert listed(["x" * 1000, "a\nb", "c", "d"], most=2).endswith(", 'a\\nb' and 2 more")
