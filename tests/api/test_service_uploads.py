"""The settings an app has for files, enforced on messages and on its form; and its own limit of requests."""

from __future__ import annotations

from typing import Any

import pytest

from support.served import Answer, Api, Served, chatflow, model_app, workflow

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
TEXT = b"Tides follow the moon."


def uploads(**block: Any) -> dict[str, Any]:
    return {"file_upload": {"enabled": True, **block}}


async def reference(app: Api, name: str, kind: str = "", **fields: Any) -> dict[str, Any]:
    """Upload a file and name it as a message does."""
    data = PNG if name.endswith(".png") else TEXT
    file_id = (await app.upload(name, kind or None, data)).json()["id"]
    return {"transfer_method": "local_file", "upload_file_id": file_id, **fields}


def refusal(answer: Answer) -> str:
    assert (answer.status, answer.json()["code"]) == (400, "invalid_param"), answer.json()
    return answer.json()["message"]


async def test_a_message_carries_only_the_types_that_the_app_takes(served: Served):
    app = await served.publish(chatflow(features=uploads(allowed_file_types=["image"])))

    picture = await app.chat(files=[await reference(app, "a.png")])
    document = await app.chat(files=[await reference(app, "a.pdf")])

    assert picture.status == 200
    assert refusal(document) == (
        "The app does not take the file a.pdf: files of type document are not allowed, only image."
    )


@pytest.mark.parametrize("listed", [".TID", "tid"])
async def test_custom_extensions_are_compared_without_dot_and_case(served: Served, listed: str):
    features = uploads(allowed_file_types=["custom"], allowed_file_extensions=[listed])
    app = await served.publish(chatflow(features=features))

    taken = await app.chat(files=[await reference(app, "a.tid", type="custom")])
    other = await app.chat(files=[await reference(app, "a.xyz", type="custom")])
    bare = await app.chat(files=[await reference(app, "README", type="custom")])

    assert taken.status == 200
    assert '".xyz" is not allowed, only tid' in refusal(other)
    assert "files without an extension are not allowed, only tid" in refusal(bare)


async def test_a_message_carries_files_only_the_way_the_app_takes_them(served: Served):
    features = uploads(allowed_file_upload_methods=["remote_url"], image={"transfer_methods": ["local_file"]})
    app = await served.publish(chatflow(features=features))

    picture = await app.chat(files=[await reference(app, "a.png")])
    document = await app.chat(files=[await reference(app, "a.txt")])

    assert picture.status == 200
    assert "by local_file are not allowed, only by remote_url" in refusal(document)


async def test_a_message_carries_three_files_unless_the_app_says_otherwise(served: Served):
    three, one = (
        await served.publish(chatflow(features=uploads())),
        await served.publish(chatflow(features=uploads(number_limits=1))),
    )
    files = [await reference(three, f"{number}.txt") for number in range(4)]
    pair = [await reference(one, f"{number}.txt") for number in range(2)]

    assert (await three.chat(files=files[:3])).status == 200
    assert refusal(await three.chat(files=files)) == "A message to this app may carry at most 3 files, not 4."
    assert refusal(await one.chat(files=pair)) == "A message to this app may carry at most one file, not 2."


async def test_an_app_without_uploads_takes_no_files(served: Served):
    app = await served.publish(chatflow())
    file = await reference(app, "a.txt")

    answer = await app.chat(files=[file])
    dropped = await app.chat(files=[{"type": "image"}, {"type": "image", "transfer_method": "remote_url", "url": ""}])

    assert "takes no files" in refusal(answer)
    assert dropped.status == 200


async def test_old_chat_apps_take_pictures_by_their_picture_settings(served: Served):
    image = {"enabled": True, "number_limits": 1, "transfer_methods": ["local_file"], "detail": "low"}
    app = await served.publish(model_app("chat", file_upload={"image": image}))
    pictures = [await reference(app, f"{number}.png") for number in range(2)]
    remote = {"type": "image", "transfer_method": "remote_url", "url": "https://203.0.113.1/a.png"}

    assert (await app.chat(files=pictures[:1])).status == 200
    assert "at most one file" in refusal(await app.chat(files=pictures))
    assert refusal(await app.chat(files=[await reference(app, "a.txt")]))
    assert refusal(await app.chat(files=[remote]))


async def test_a_refused_file_stays_private(served: Served):
    app = await served.publish(chatflow(features=uploads(allowed_file_types=["image"])))
    file = await reference(app, "a.txt")

    await app.chat(files=[file])

    assert (await app.get(f"/files/{file['upload_file_id']}/preview")).status == 404


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"allowed_file_types": ["image"]}, "files of type document are not allowed, only image"),
        ({"allowed_file_types": ["custom"], "allowed_file_extensions": [".csv"]}, '".txt" is not allowed, only csv'),
        ({"allowed_file_upload_methods": ["remote_url"]}, "by local_file are not allowed"),
    ],
)
async def test_a_file_input_takes_what_its_field_says(served: Served, rules: dict[str, Any], reason: str):
    field = {"variable": "f", "label": "F", "type": "file", "required": True, **rules}
    app = await served.publish(workflow(variables=[field]))

    assert reason in refusal(await app.run({"f": await reference(app, "a.txt")}))


@pytest.mark.parametrize(("rules", "most"), [({"max_length": 2}, 2), ({}, 10)])
async def test_a_list_of_files_holds_as_many_as_its_field_says(served: Served, rules: dict[str, Any], most: int):
    field = {"variable": "f", "label": "F", "type": "file-list", "required": True, **rules}
    app = await served.publish(workflow(variables=[field]))
    file = await reference(app, "a.txt")

    assert (await app.run({"f": [file] * most})).json()["data"]["status"] == "succeeded"
    assert (
        refusal(await app.run({"f": [file] * (most + 1)}))
        == f"`f` in input form must be a list of at most {most} files"
    )


@pytest.mark.parametrize(("own", "general", "limit"), [(1, 0, 1), (5, 1, 1), (1, 5, 1), (0, 1, 1)])
async def test_the_smaller_limit_of_app_and_installation_holds(served: Served, own: int, general: int, limit: int):
    document = chatflow("mock-hang3")
    document["app"]["max_active_requests"] = own or None
    app = await served.publish(document)
    served.desk.runner.max_active = general

    async with app.stream("/chat-messages", {"query": "hi"}) as stream:
        text = await stream.until("message")
        refused = await app.chat()
        await app.post(f"/chat-messages/{text['task_id']}/stop", {"user": "ada"})
        await stream.rest()
    async with app.stream("/chat-messages", {"query": "hi"}) as stream:
        text = await stream.until("message")
        await app.post(f"/chat-messages/{text['task_id']}/stop", {"user": "ada"})
        await stream.rest()

    assert (refused.status, refused.json()["code"]) == (429, "too_many_requests")
    assert f"serves {limit} request," in refused.json()["message"]
