"""Uploads, previews and signed links."""

from __future__ import annotations

import aiohttp

from support.served import Served, chatflow, workflow

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489") + b"\0" * 20
FILE_FIELD = {
    "variable": "f",
    "label": "F",
    "type": "file",
    "required": True,
    "allowed_file_types": ["image", "document"],
    "allowed_file_upload_methods": ["local_file", "remote_url"],
}


async def test_an_upload_is_kept_and_its_signed_link_reads_it(served: Served):
    app = await served.publish(chatflow())

    answer = await app.upload("Photo.PNG", "image/png", PNG)
    body = answer.json()
    async with served.http.get(body["source_url"]) as link:
        data = await link.read()

    assert answer.status == 201
    assert list(body) == [
        *("id", "reference", "name", "size", "extension", "mime_type", "created_by", "created_at", "preview_url"),
        *("source_url", "original_url", "user_id", "tenant_id", "conversation_id", "file_key"),
    ]
    assert (body["name"], body["extension"], body["mime_type"], body["size"]) == (
        "Photo.PNG", "png", "image/png", len(PNG),
    )  # fmt: skip
    assert data == PNG
    assert link.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_changed_link_reads_nothing(served: Served):
    app = await served.publish(chatflow())
    url = (await app.upload("a.png", "image/png", PNG)).json()["source_url"]

    async with served.http.get(url[:-2] + "xx") as response:
        assert response.status == 404


async def test_a_file_can_be_previewed_once_a_run_has_used_it(served: Served):
    app, other = await served.publish(workflow(variables=[FILE_FIELD])), await served.publish(chatflow())
    file_id = (await app.upload("a.png", "image/png", PNG)).json()["id"]

    before = await app.get(f"/files/{file_id}/preview")
    ran = await app.run({"f": {"type": "image", "transfer_method": "local_file", "upload_file_id": file_id}})
    after = await app.get(f"/files/{file_id}/preview")
    attached = await app.get(f"/files/{file_id}/preview", params={"as_attachment": "true"})
    foreign = await other.get(f"/files/{file_id}/preview")

    assert (before.status, before.json()["code"]) == (404, "file_not_found")
    assert ran.json()["data"]["status"] == "succeeded", ran.json()
    assert ran.json()["data"]["outputs"]["out"]["filename"] == "a.png"
    assert (after.status, after.body, after.headers["Content-Type"]) == (200, PNG, "image/png")
    assert after.headers["Cache-Control"] == "public, max-age=3600"
    assert attached.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a.png"
    assert attached.headers["Content-Type"] == "application/octet-stream"
    assert (foreign.status, foreign.json()["code"]) == (403, "file_access_denied")


async def test_what_a_browser_could_run_is_a_download_whatever_it_claims_to_be(served: Served):
    app = await served.publish(workflow(variables=[FILE_FIELD]))
    uploaded = (await app.upload("a.png", "image/png", b"<html><script>alert(1)</script>")).json()
    await app.run({"f": {"transfer_method": "local_file", "upload_file_id": uploaded["id"]}})

    preview = await app.get(f"/files/{uploaded['id']}/preview")

    assert uploaded["mime_type"] == "text/html"
    assert preview.headers["Content-Type"] == "application/octet-stream"
    assert preview.headers["Content-Disposition"].startswith("attachment")


async def test_another_users_upload_cannot_be_used(served: Served):
    app = await served.publish(workflow(variables=[FILE_FIELD]))
    file_id = (await app.upload("a.png", "image/png", PNG, user="ada")).json()["id"]

    answer = await app.run({"f": {"transfer_method": "local_file", "upload_file_id": file_id}}, user="eve")

    assert (answer.status, answer.json()["code"]) == (400, "invalid_param")


async def test_an_upload_that_cannot_be_kept_is_refused_by_its_fault(served: Served):
    app = await served.publish(chatflow())
    nothing = aiohttp.FormData()
    nothing.add_field("user", "ada")
    nothing.add_field("other", b"x", filename="x.txt")
    two = aiohttp.FormData()
    for name in ("a.txt", "b.txt"):
        two.add_field("file", b"x", filename=name, content_type="text/plain")

    illegal = await app.upload("a:b.txt", "text/plain", b"x")
    large = await app.upload("a.txt", "text/plain", b"x" * (15 * 1024 * 1024 + 1))
    none = await app.call("POST", "/files/upload", data=nothing)
    many = await app.call("POST", "/files/upload", data=two)

    assert (illegal.status, illegal.json()["code"]) == (400, "invalid_param")
    assert (large.status, large.json()["code"]) == (413, "file_too_large")
    assert (none.status, none.json()["code"]) == (400, "no_file_uploaded")
    assert (many.status, many.json()["code"]) == (400, "too_many_files")


async def test_a_remote_file_on_a_private_host_is_refused_and_the_host_named(served: Served):
    app = await served.publish(workflow(variables=[FILE_FIELD]))
    url = f"{served.models.origin}/a.png"

    answer = await app.run({"f": {"type": "image", "transfer_method": "remote_url", "url": url}})

    assert (answer.status, answer.json()["code"]) == (400, "invalid_param")
    assert "127.0.0.1" in answer.json()["message"]
