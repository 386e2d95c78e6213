"""HTTP for the person: offer the certificate to one's wallet, see the copies, take them back."""

from __future__ import annotations

from typing import Any

import segno

from employment_registry.parts import parts
from employment_registry.wallet import actions, metadata, queries, schemas
from servicekit.web.access import access, public, unkeyed
from servicekit.web.api import Blueprint
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, app, now, reading, transaction
from servicekit.workflow import Role

wallet = Blueprint(
    "certificate-wallet",
    __name__,
    url_prefix="/certificates/current",
    description="就业创业证：电子钱包",
)
types = Blueprint(
    "credential-types", __name__, url_prefix="/credential-types", description="就业创业证：凭证类型"
)
own = access(Role.APPLICANT, level=2, kinds=("person",))


@wallet.route("/wallet-offer", methods=["POST"])
@own
@unkeyed
@wallet.response(201, schemas.OfferSchema, example=schemas.EXAMPLE_OFFER)
def make_offer() -> dict[str, Any]:
    """Offer one's certificate to a wallet (添加到电子钱包); an earlier offer ends.

    Asked again it is another offer, and no Idempotency-Key would keep its secrets a day.
    404 `certificate-not-found`.
    """
    with transaction() as db:
        made = actions.offer(db, actor=actor(), vault=app().vault, now=now())
    link = metadata.offer_link(parts().signer, made.code)
    return {
        "link": link,
        "picture": segno.make(link, error="l", micro=False).svg_data_uri(scale=4),
        "transaction_code": made.transaction_code,
        "expires_at": made.expires_at,
    }


@wallet.route("/wallet-copies", methods=["GET"])
@own
@wallet.arguments(PageArguments, location="query")
@wallet.response(200, page_schema(schemas.CopySchema), example=one_page(schemas.EXAMPLE_COPY))
def list_copies(page: Page) -> Any:
    """The copies in one's wallets (电子钱包中的证)."""
    with reading() as db:
        return page_of(db, queries.own_copies(actor()), page, by=queries.NEWEST)


@wallet.route("/wallet-copies/take-back", methods=["POST"])
@own
@wallet.response(200, schemas.TakenBackSchema, example={"ended": 1})
def take_back() -> dict[str, int]:
    """End every copy, as when the telephone is lost (收回); the certificate itself stays valid.

    404 `certificate-not-found`; 409 `no-wallet-copies`.
    """
    with transaction() as db:
        return {"ended": actions.take_back(db, actor=actor(), now=now())}


@types.route("/employment-certificate", methods=["GET"])
@public
@types.response(200, schemas.TypeSchema, example=schemas.EXAMPLE_TYPE)
def show_type() -> dict[str, Any]:
    """What the credential is and says (SD-JWT VC type metadata)."""
    return metadata.credential_type(parts().signer)
