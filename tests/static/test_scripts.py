"""The scripts in a real browser: digest first, upload with progress, wallet prompts."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from playwright.sync_api import Page, expect

from tests.static.conftest import Answer, Site, as_json

pytestmark = pytest.mark.browser

PICTURE = b"not a picture, but bytes all the same"
DIGEST = hashlib.sha256(PICTURE).hexdigest()
FILE: Any = {"name": "work.txt", "mimeType": "text/plain", "buffer": PICTURE}
DROP = '{% include "partials/drop_zone.html" with label="Choose" required=True only %}'
STATUS = '{% include "partials/progress.html" only %}'
VERIFY = (
    '<form method="post" action="/full" enctype="multipart/form-data" data-verify '
    f'data-lookup-url="/verify/lookup">{DROP}{STATUS}<button>Send it</button></form>'
    "<div data-verify-result></div>"
)
UPLOAD = (
    '<form method="post" action="/up" enctype="multipart/form-data" data-upload>'
    f"{DROP}{STATUS}<button>Upload</button></form>"
)
CHAIN = {"chainId": "0x7a69", "chainName": "Test chain", "rpcUrls": ["http://x"]}
TYPED = {
    "types": {
        "EIP712Domain": [{"name": "chainId", "type": "uint256"}],
        "Accept": [{"name": "order", "type": "string"}],
    },
    "primaryType": "Accept",
    "domain": {"chainId": 31337},
    "message": {"order": "ord_1"},
}
# announces itself as EIP-6963 says; signing happens in Python
WALLET = """
let chain = "0x1", known = false;
const provider = { request: async ({ method, params }) => {
  window.asked = [...(window.asked ?? []), method];
  if (method === window.declines) throw { code: 4001, message: "User rejected" };
  if (method === "eth_requestAccounts") return [ADDRESS];
  if (method === "eth_chainId") return chain;
  if (method === "wallet_addEthereumChain") {
    known = true; chain = params[0].chainId; return null;
  }
  if (method === "wallet_switchEthereumChain") {
    if (!known) throw { code: 4902, message: "Unrecognized chain" };
    chain = params[0].chainId; return null;
  }
  return window.signFor(method, params);
} };
const info = { uuid: "u1", name: "Stub Wallet", icon: "" };
const detail = Object.freeze({ info, provider });
const found = "eip6963:announceProvider";
const say = () => window.dispatchEvent(new CustomEvent(found, { detail }));
window.addEventListener("eip6963:requestProvider", say); say();
"""


def found(fields: dict[str, Any]) -> Answer:
    """Answer a look-up with the verdict partial's heading."""
    return (
        200,
        "text/html",
        f'<h2 tabindex="-1" data-focus>Known {fields["sha256"]}</h2>',
    )


def test_verify_asks_about_the_digest_and_keeps_the_file(
    page: Page, site: Site
) -> None:
    site.handlers["/verify/lookup"] = found
    page.goto(site.page("/verify", VERIFY, "verify"))
    page.set_input_files("input[type=file]", files=FILE)
    expect(page.locator("[data-focus]", has_text=DIGEST)).to_be_focused()
    expect(page.locator("[data-status]")).to_contain_text("did not leave your device")
    assert [path for path, _ in site.seen] == ["/verify", "/verify/lookup"]


def test_a_file_dropped_anywhere_is_looked_up(page: Page, site: Site) -> None:
    site.handlers["/verify/lookup"] = found
    page.goto(site.page("/verify", VERIFY, "verify"))
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], "work.txt"));
          const how = { bubbles: true, cancelable: true, dataTransfer: data };
          for (const type of ["dragover", "drop"])
            document.body.dispatchEvent(new DragEvent(type, how));
        }""",
        PICTURE.decode(),
    )
    expect(page.locator("[data-focus]")).to_have_text(f"Known {DIGEST}")


def test_a_failed_lookup_says_so_and_claims_nothing(page: Page, site: Site) -> None:
    site.handlers["/verify/lookup"] = lambda _: (503, "text/html", "down")
    page.goto(site.page("/verify", VERIFY, "verify"))
    page.set_input_files("input[type=file]", files=FILE)
    expect(page.locator("[data-status]")).to_contain_text("The server answered 503")
    expect(page.locator("[data-verify-result]")).to_be_empty()


def test_the_full_check_sends_the_file_only_on_the_button(
    page: Page, site: Site
) -> None:
    site.handlers["/verify/lookup"] = found
    site.handlers["/full"] = lambda _: (200, "text/html", "<title>full</title>")
    page.goto(site.page("/verify", VERIFY, "verify"))
    page.set_input_files("input[type=file]", files=FILE)
    page.locator("[data-focus]").wait_for()
    page.get_by_role("button", name="Send it").click()
    page.wait_for_url("**/full")
    assert dict(site.seen)["/full"]["file"] == PICTURE


def test_an_upload_arrives_whole_and_follows_the_redirect(
    page: Page, site: Site
) -> None:
    site.handlers["/up"] = lambda _: (303, "/next", "")
    site.page("/next", "<h1>Next</h1>")
    page.goto(site.page("/new", UPLOAD, "upload"))
    page.set_input_files("input[type=file]", files=FILE)
    expect(page.locator("[data-file-digest]")).to_have_text(DIGEST)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/next")
    assert dict(site.seen)["/up"]["file"] == PICTURE


def test_a_refused_upload_shows_the_errors_and_can_be_repeated(
    page: Page, site: Site
) -> None:
    site.page("/next", "<h1>Next</h1>")
    url = site.page("/new", UPLOAD, "upload")
    site.page("/bad", '<div data-errors tabindex="-1">Too dark</div>' + UPLOAD)
    answers = [(422, "text/html", site.pages["/bad"]), (303, "/next", "")]
    site.handlers["/up"] = lambda _: answers.pop(0)
    page.goto(url)

    def upload() -> None:
        page.set_input_files("input[type=file]", files=FILE)
        page.get_by_role("button", name="Upload").click()

    upload()
    expect(page.locator("[data-errors]")).to_be_focused()
    upload()
    page.wait_for_url("**/next")


def wallet_page(page: Page, site: Site, declines: str = "", **config: Any) -> Any:
    """Open a page with the wallet partial and a stub wallet; return its account."""
    account = Account.create()

    def sign(method: str, params: list[Any]) -> str:
        if method == "eth_signTypedData_v4":
            message = encode_typed_data(full_message=json.loads(params[1]))
        else:
            message = encode_defunct(hexstr=params[0])
        return "0x" + account.sign_message(message).signature.hex()

    page.expose_function("signFor", sign)
    page.add_init_script(f"window.declines = {json.dumps(declines)};")
    page.add_init_script(WALLET.replace("ADDRESS", json.dumps(account.address)))
    site.handlers["/pay"] = lambda _: (200, "text/html", "<title>paid</title>")
    base = {"verb": "It pays $40.00.", "unharmed": "Nothing was charged."}
    wallet = {
        "action": "/pay",
        "uid": "wallet-config",
        "title": "Pay with a wallet",
        "prompts": ["Share your address", "Sign the payment"],
        "fields": {"order": "ord_1"},
        "config": base | config,
    }
    content = '{% include "partials/wallet.html" %}'
    page.goto(site.page("/checkout", content, "wallet", wallet=wallet))
    return account


def test_a_wallet_is_switched_and_signs_the_typed_data(page: Page, site: Site) -> None:
    account = wallet_page(page, site, chain=CHAIN, typed_data=TYPED)
    page.get_by_role("button", name="Stub Wallet").click()
    page.wait_for_url("**/pay")
    posted = dict(site.seen)["/pay"]
    signer = Account.recover_message(
        encode_typed_data(full_message=TYPED), signature=posted["signature"]
    )
    assert signer == posted["address"] == account.address
    assert posted["order"] == "ord_1"


def test_an_unknown_network_is_added_before_signing(page: Page, site: Site) -> None:
    wallet_page(page, site, "eth_signTypedData_v4", chain=CHAIN, typed_data=TYPED)
    page.get_by_role("button", name="Stub Wallet").click()
    expect(page.locator("[data-wallet] [data-status]")).to_contain_text("declined")
    assert page.evaluate("window.asked") == [
        "eth_requestAccounts",
        "eth_chainId",
        "wallet_switchEthereumChain",
        "wallet_addEthereumChain",
        "eth_chainId",
        "eth_signTypedData_v4",
    ]


def test_a_declined_prompt_charges_nothing_and_says_so(page: Page, site: Site) -> None:
    wallet_page(page, site, "eth_requestAccounts", typed_data=TYPED)
    page.get_by_role("button", name="Stub Wallet").click()
    expect(page.locator("[data-wallet] [data-status]")).to_have_text(
        "You declined in your wallet. Nothing was charged."
    )
    assert "/pay" not in dict(site.seen)


def test_another_account_than_the_expected_one_is_refused(
    page: Page, site: Site
) -> None:
    other = "0x" + "ab" * 20
    wallet_page(page, site, expected=other, typed_data=TYPED)
    page.get_by_role("button", name="Stub Wallet").click()
    expect(page.locator("[data-wallet] [data-status]")).to_contain_text(
        f"Choose the account {other}"
    )
    assert "eth_signTypedData_v4" not in page.evaluate("window.asked")


def test_linking_signs_the_text_the_server_issued(page: Page, site: Site) -> None:
    def issue(fields: dict[str, Any]) -> Answer:
        text = f"127.0.0.1 wants you to link {fields['address']} \u2013 once"
        return as_json({"message": text, "fields": {"challenge": "chl_1"}})

    site.handlers["/challenge"] = issue
    account = wallet_page(page, site, prepare_url="/challenge")
    page.get_by_role("button", name="Stub Wallet").click()
    page.wait_for_url("**/pay")
    posted = dict(site.seen)["/pay"]
    text = f"127.0.0.1 wants you to link {account.address} \u2013 once"
    signer = Account.recover_message(
        encode_defunct(text=text), signature=posted["signature"]
    )
    assert (signer, posted["challenge"]) == (account.address, "chl_1")


def test_a_refusal_of_the_server_reaches_the_person(page: Page, site: Site) -> None:
    problem = json.dumps({"detail": "The price changed. Look again."})
    site.handlers["/prepare"] = lambda _: (409, "application/problem+json", problem)
    wallet_page(page, site, prepare_url="/prepare")
    page.get_by_role("button", name="Stub Wallet").click()
    expect(page.locator("[data-wallet] [data-status]")).to_have_text(
        "The price changed. Look again. Nothing was charged."
    )


def test_without_a_wallet_the_page_names_the_other_ways(page: Page, site: Site) -> None:
    wallet = {"uid": "w", "config": {}, "prompts": ["one"], "title": "Pay"}
    content = '{% include "partials/wallet.html" %}'
    page.goto(site.page("/checkout", content, "wallet", wallet=wallet))
    expect(page.get_by_text("No wallet was found in this browser.")).to_be_visible()


def test_the_copy_button_copies_the_whole_value_and_says_so(
    page: Page, site: Site
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    content = '{% include "partials/hash.html" with value=value label="sha256" only %}'
    page.goto(site.page("/hash", content, value=DIGEST))
    page.get_by_role("button", name="Copy sha256").click()
    expect(page.locator("[data-announce]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == DIGEST


def test_more_results_are_added_below_the_first_ones(page: Page, site: Site) -> None:
    pager = '{% include "partials/pager.html" with next_url=next more=True only %}'
    site.page("/list2", "<div data-batch>Second batch</div><p>not this</p>" + pager)
    content = "<div data-batch>First batch</div>" + pager
    page.goto(site.page("/list", content, next="/list2"))
    page.get_by_role("link", name="More results").click()
    expect(page.get_by_text("Second batch")).to_be_visible()
    expect(page.get_by_text("First batch")).to_be_visible()
    expect(page.get_by_text("not this")).to_have_count(0)
    expect(page.locator(".pager")).to_have_count(0)
