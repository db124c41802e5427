"""A windowed pipeline over several days, as a team runs it: each day reads the day's logs only."""


def test_try(first_days):
    for result, lines in first_days[1:]:
        print(lines)
        print([(n.node_id, n.state, round(n.seconds, 2), n.rows) for n in result.nodes])
        print(result.window)
