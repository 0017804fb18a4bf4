"""Sending: from an intent to one final effect."""

from __future__ import annotations

import pytest

from chain.abi import decode_output, encode_call, find
from chain.contracts import abi_of, address_of
from chain.models import Intent
from outbox.models import Job

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

TO = "0x" + "ab" * 20


def balance(gateway) -> int:
    entry = find(abi_of("Token"), "function", "balanceOf")
    data = encode_call(entry, {"account": TO})
    return int(decode_output(entry, gateway.call(address_of("Token"), data))[0])


def test_an_intent_is_sent_mined_and_final(act, gateway):
    intent = act.want("fund", to=TO, amount=5)
    assert intent.state == "queued"
    act.send(intent)
    assert (intent.state, intent.nonce) == ("broadcast", 0)
    act.finish(intent)
    assert intent.state == "final", intent.error
    assert balance(gateway) == 5
    job = Job.objects.get(key=f"then:{intent.key}")
    assert job.payload == {"n": 1, "intent": intent.pk}


def test_nothing_is_final_before_its_confirmations(act):
    intent = act.send(act.want())
    act.finish(intent, blocks=1)
    assert intent.state == "mined"
    assert not Job.objects.filter(key__startswith="then:").exists()
    act.finish(intent, blocks=1)
    assert intent.state == Intent.State.FINAL
