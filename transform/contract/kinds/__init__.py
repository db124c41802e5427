"""The kinds of features, one a file; `mtlx.transform.contract.features` registers them."""
