from mtlx.pipeline.terminal.short_names import ShortNames


def test_a_name_that_fits_stays_as_it_is():
    short = ShortNames(10)
    assert short("0123456789") == "0123456789"
    assert short.legend == []


def test_cut_names_keep_both_ends_and_differ_by_number():
    short = ShortNames(20)
    first = "segment_of_the_user_in_the_home_feed"
    second = "segment_of_the_item_in_the_home_feed"  # the same ends
    cut = [short(first), short(second), short(first)]
    assert cut[0] == cut[2] != cut[1]
    assert all(len(name) <= 20 for name in cut)
    assert cut[0].startswith("segment") and "feed [1]" in cut[0]
    assert short.legend == [f"[1] {first}", f"[2] {second}"]


def test_a_width_that_is_hardly_one():
    assert len(ShortNames(4)("a" * 30)) <= 8  # one letter of each end, gap and number
