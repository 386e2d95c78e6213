"""AL-05: files lie on a disk or in an S3 bucket, by one setting, and behave alike."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from servicekit.storage import BadAddress, Storage, StorageSettings, StorageUnavailable

KEY = "authorisation-code/2026-11/0199-a"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of a server that speaks S3, with a bucket called files."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="key",
    )
    client.create_bucket(Bucket="files")
    client.close()
    yield address
    server.stop()


@pytest.fixture(params=["disk", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "disk":
        return Storage(f"file://{tmp_path}/files")
    address = request.getfixturevalue("bucket")
    options = {"endpoint": address, "region": "us-east-1", "key_id": "id", "key": "key"}
    return Storage("s3://files/of-a-service", **options)


@pytest.mark.req("AL-05")
def test_an_object_is_written_read_replaced_and_removed(storage: Storage) -> None:
    assert storage.get(KEY) is None
    storage.put(KEY, b"one")
    storage.put(KEY, b"two" * 100_000)
    assert storage.get(KEY) == b"two" * 100_000
    assert storage.keys() == [KEY]
    assert storage.keys("recovery") == []
    storage.delete(KEY)
    storage.delete(KEY)
    assert storage.get(KEY) is None


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../b", "a//b", "A", "a b", "a."])
def test_a_key_cannot_leave_its_place(storage: Storage, key: str) -> None:
    for call in (lambda: storage.put(key, b""), lambda: storage.get(key)):
        with pytest.raises(ValueError, match="a key is"):
            call()


def test_the_folder_is_for_the_service_alone(tmp_path: Path) -> None:
    Storage(f"file://{tmp_path}/new/files").put(KEY, b"")
    assert (tmp_path / "new" / "files").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["", "var/files", "file:", "s3:///prefix", "ftp://host/files"])
def test_an_address_of_nothing_stops_the_start(url: str) -> None:
    with pytest.raises(BadAddress):
        Storage(url)


def test_a_bucket_that_does_not_answer_is_said_so_without_its_address(bucket: str) -> None:
    options = {"endpoint": bucket, "region": "us-east-1", "key_id": "id", "key": "key"}
    with pytest.raises(StorageUnavailable) as refused:
        Storage("s3://no-such-bucket", **options).put(KEY, b"")
    assert "bucket" not in refused.value.message
    assert refused.value.retry_after


def test_settings_name_a_folder_unless_told() -> None:
    assert Storage.of(StorageSettings()).__class__ is Storage
