"""Who may ask: names of the server, origins of pages, proxies."""

import pytest

from antiphon.config.visitors import HostNames, Networks, Origins


def test_origins_are_written_as_browsers_send_them():
    read = Origins().from_text
    assert read("HTTPS://App.example/, https://app.example:443") == ("https://app.example",)
    assert read("http://nas.lan:3000,null,*") == ("http://nas.lan:3000", "null", "*")
    assert read("chrome-extension://abcdef,http://[::1]:80") == ("chrome-extension://abcdef", "http://[::1]")
    for wrong in ("app.example", "https://app.example/path", "https://*.example", "https://", "https://a b"):
        with pytest.raises(ValueError, match="is not fit for it; the value must be a list of origins such as"):
            read(wrong)
    with pytest.raises(ValueError, match="is not a list of origins"):
        Origins().from_toml("https://app.example")


def test_names_of_the_server_have_no_scheme_and_no_port():
    read = HostNames().from_text
    assert read("Models.lan, *,[fd00::1],10.0.0.5") == ("models.lan", "*", "[fd00::1]", "10.0.0.5")
    for wrong in ("http://models.lan", "models.lan:80", "models lan", "*.lan", "a..b"):
        with pytest.raises(ValueError, match="is not fit for it; the value must be a list of host names"):
            read(wrong)


def test_proxies_are_addresses_and_networks():
    read = Networks().from_text
    assert read("10.0.0.7, 10.1.0.0/16,FD00::/8") == ("10.0.0.7/32", "10.1.0.0/16", "fd00::/8")
    assert Networks().from_toml([]) == ()
    for wrong in ("proxy.lan", "10.0.0.0/33", "10.0.0.1/8", "*"):
        with pytest.raises(ValueError, match="is not fit for it; the value must be a list of addresses and networks"):
            read(wrong)
