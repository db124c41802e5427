"""What the skew guard found, on the page of its node."""

from mtlx.kubeflow.page.summaries.skew_summary import skew_summary
from tests.components.skew_guard.made_skew import made_skew


def test_kubeflows_page_has_a_table_of_it(tmp_path):
    made_skew().save(str(tmp_path))
    lines = skew_summary(str(tmp_path))
    assert "- Serving skew: version 3 is gone" in lines
    assert "| click | 900 | 90 | 0.25 | 2 missing, 1 outside of \\[0, 1\\] | beyond |" in lines
    assert "| price | jensen\\_shannon | 0.4 | 0.01 | 0.05 | beyond |" in lines
    assert "| price | 0.5 | 0.01 |" in lines
