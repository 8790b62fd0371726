from tests.align import pair_lab


def test_smoke(committed, cast, client_of, align):
    pairing = pair_lab(client_of(cast.anna), align)
    assert pairing.account_id == "479"
