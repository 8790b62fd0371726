"""The two dialects as data: "assumed" is our best guess at the contract specification, "contract" is spelled otherwise.

Align's detailed specification is not public. The second dialect is there to prove that no name is hard-coded.
"""

from connector.simulator.spelling import Call, Dialect, Paging

ASSUMED = Dialect(
    name="assumed",
    login_page="/login",
    authorize="",
    pkce=True,
    client_auth="form",
    assets={"full": "IDE", "thumbnails": "IMAGE_GALLERY"},
    calls={
        "token": Call("POST", "/oauth/token"),
        "revoke": Call("POST", "/oauth/revoke"),
        "discovery": Call(
            "GET",
            "/api/v2/discovery",
            answer={
                "region": "$region",
                "endpoints": {
                    "token": "$url.token",
                    "revoke": "$url.revoke",
                    "accounts": "$url.accounts",
                    "pair": "$url.pair",
                    "unpair": "$url.unpair",
                    "orders": "$url.orders",
                    "orderByRxId": "$url.orderByRxId",
                    "download": "$url.download",
                    "return": "$url.return",
                },
            },
        ),
        "accounts": Call("GET", "/api/v2/accounts", answer={"accounts": "$accounts"}),
        "pair": Call(
            "POST",
            "/api/v2/pairing",
            {"account_id": "json:accountId", "callback": "json:callbackUrl"},
            answer={"accountId": "$account_id"},
        ),
        "unpair": Call("POST", "/api/v2/pairing/end", {"account_id": "json:accountId"}, status=204),
        "orders": Call("GET", "/api/v2/orders"),
        "orderByRxId": Call("GET", "/api/v2/orders/by-rx/{rxId}", {"rx_id": "path:rxId"}, answer="$order"),
        "download": Call(
            "GET",
            "/api/v2/orders/{orderId}/assets/{assetType}",
            {"order_id": "path:orderId", "asset": "path:assetType"},
        ),
        "return": Call(
            "POST",
            "/api/v2/orders/{orderId}/return",
            {"order_id": "path:orderId", "reason": "json:reason", "comment": "json:comment"},
            answer={"orderId": "$order_id", "status": "$status"},
        ),
    },
    token_set={
        "access_token": "$access",
        "refresh_token": "$refresh",
        "token_type": "Bearer",
        "expires_in": "$expires_in",
    },
    account={"accountId": "$account_id", "name": "$name", "type": "$kind", "address": "$address"},
    order={
        "orderId": "$order_id",
        "rxId": "$rx_id",
        "orderCode": "$order_code",
        "status": "$status",
        "accountId": "$account_id",
        "patient": {"firstName": "$first", "lastName": "$last", "chartNumber": "$chart"},
        "doctor": {"id": "$doctor_id", "name": "$doctor_name", "licenseNumber": "$doctor_license"},
        "practice": {"id": "$practice_id", "name": "$practice_name", "address": "$practice_address"},
        "procedure": "$procedure",
        "caseType": "$case_type",
        "dueDate": "$due",
        "scanDate": "$scanned",
        "updatedDate": "$updated",
        "notes": "$notes",
        "treatments": "$items",
        "assets": "$assets",
    },
    item={
        "tooth": "$tooth",
        "treatment": "$treatment",
        "material": "$material",
        "shade": {"system": "$shade_system", "incisal": "$incisal", "body": "$body", "gingival": "$gingival"},
    },
    asset={"type": "$type", "size": "$size", "ready": "$ready"},
    notification={"rxId": "$rx_id", "accountNumber": "$account_number"},
    error={"error": "$code", "message": "$text"},
    oauth_error={"error": "$code", "error_description": "$text"},
    paging={
        "page": Paging("pageSize", "page", {"orders": "$orders", "page": "$page", "totalPages": "$pages"}),
        "offset": Paging("limit", "offset", {"orders": "$orders", "offset": "$offset", "total": "$total"}),
        "next": Paging("limit", "cursor", {"orders": "$orders", "next": "$next"}),
    },
    default_paging="page",
)

CONTRACT = Dialect(
    name="contract",
    login_page="/myitero",
    authorize="/connect/authorize",
    pkce=False,
    client_auth="basic",
    assets={"full": "FullScan", "thumbnails": "Gallery"},
    calls={
        "token": Call("POST", "/connect/token"),
        "revoke": Call("POST", "/connect/revocation"),
        "discovery": Call(
            "POST",
            "/lab/v2x/regions/discover",
            answer={
                "Data": {
                    "Region": "$region",
                    "Services": {
                        "TokenService": "$url.token",
                        "RevokeService": "$url.revoke",
                        "AccountList": "$url.accounts",
                        "PairAccount": "$url.pair",
                        "UnpairAccount": "$url.unpair",
                        "OrderList": "$url.orders",
                        "OrderLookup": "$url.orderByRxId",
                        "OrderFiles": "$url.download",
                        "OrderReturn": "$url.return",
                    },
                }
            },
        ),
        "accounts": Call("GET", "/lab/v2x/companies", answer={"Data": {"Accounts": "$accounts"}}),
        "pair": Call(
            "PUT",
            "/lab/v2x/companies/link",
            {"account_id": "json:CompanyId", "callback": "json:NotificationUrl"},
            answer={"CompanyId": "$account_id"},
        ),
        "unpair": Call(
            "DELETE",
            "/lab/v2x/companies/link",
            {"account_id": "query:CompanyId"},
            answer={"Data": {"CompanyId": "$account_id", "Linked": False}},
        ),
        "orders": Call("GET", "/lab/v2x/cases"),
        "orderByRxId": Call(
            "GET", "/lab/v2x/cases/lookup", {"rx_id": "query:RXID"}, answer={"Data": {"Order": "$order"}}
        ),
        "download": Call(
            "GET", "/lab/v2x/cases/{OrderNumber}/files", {"order_id": "path:OrderNumber", "asset": "query:Kind"}
        ),
        "return": Call(
            "PUT",
            "/lab/v2x/cases/{OrderNumber}/send-back",
            {"order_id": "path:OrderNumber", "reason": "json:Return.Code", "comment": "json:Return.Text"},
            status=204,
        ),
    },
    token_set={
        "Data": {
            "AccessToken": "$access",
            "RefreshToken": "$refresh",
            "TokenType": "Bearer",
            "ExpiresIn": "$expires_in",
        }
    },
    account={"Id": "$account_id", "DisplayName": "$name", "Kind": "$kind", "Location": "$address"},
    order={
        "Header": {
            "OrderNumber": "$order_id",
            "RXID": "$rx_id",
            "Code": "$order_code",
            "State": "$status",
            "CompanyId": "$account_id",
            "Updated": "$updated",
            "Scanned": "$scanned",
            "Due": "$due",
        },
        "Person": {"First": "$first", "Last": "$last", "Chart": "$chart"},
        "Dentist": {"Key": "$doctor_id", "FullName": "$doctor_name", "License": "$doctor_license"},
        "Office": {"Key": "$practice_id", "Title": "$practice_name", "Address": "$practice_address"},
        "Work": {"Procedure": "$procedure", "Case": "$case_type", "Remarks": "$notes", "Items": "$items"},
        "Files": "$assets",
    },
    item={
        "ToothNumber": "$tooth",
        "Kind": "$treatment",
        "Stuff": "$material",
        "Colour": {"Guide": "$shade_system", "Incisal": "$incisal", "Middle": "$body", "Cervical": "$gingival"},
    },
    asset={"Kind": "$type", "Bytes": "$size", "Available": "$ready"},
    notification={"RXID": "$rx_id", "CompanyId": "$account_number"},
    error={"Error": {"Code": "$code", "Text": "$text"}},
    oauth_error={"Error": {"Code": "$code", "Text": "$text"}},
    paging={
        "page": Paging("Size", "Page", {"Data": {"Items": "$orders", "Page": "$page", "TotalPages": "$pages"}}),
        "offset": Paging("Limit", "Offset", {"Data": {"Items": "$orders", "TotalCount": "$total"}}),
        "next": Paging("Limit", "Cursor", {"Data": {"Items": "$orders", "NextLink": "$next"}}),
    },
    default_paging="offset",
)

DIALECTS = {dialect.name: dialect for dialect in (ASSUMED, CONTRACT)}
