"""Hands proxy settings on to youtube-transcript-api."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from schemas.errors import ConfigError
from sources.youtube.options import YoutubeOptions

if TYPE_CHECKING:
    from youtube_transcript_api.proxies import ProxyConfig

PROXY = "CURATOR_YOUTUBE_PROXY"
WEBSHARE_USERNAME = "CURATOR_WEBSHARE_USERNAME"
WEBSHARE_PASSWORD = "CURATOR_WEBSHARE_PASSWORD"  # noqa: S105 - the name of a variable


def find_proxy(options: YoutubeOptions, environment: Mapping[str, str]) -> str | None:
    """Gives the address of the proxy: the option, else the environment variable.

    Raises:
        ConfigError: The option holds a password, which would be stored with the other options.
    """
    if options.proxy and urlsplit(options.proxy).password:
        raise ConfigError("ingest youtube: proxy holds a password", f"set {PROXY} in the environment instead")
    return options.proxy or environment.get(PROXY) or None


def build_proxies(options: YoutubeOptions, environment: Mapping[str, str]) -> "ProxyConfig | None":
    """Gives the library's proxy settings, None without a proxy.

    Raises:
        ConfigError: Rotating proxies are wanted and their credentials are not in the environment.
    """
    from youtube_transcript_api.proxies import GenericProxyConfig, WebshareProxyConfig

    proxy = find_proxy(options, environment)
    if not options.webshare:
        return GenericProxyConfig(http_url=proxy, https_url=proxy) if proxy else None
    missing = [name for name in (WEBSHARE_USERNAME, WEBSHARE_PASSWORD) if not environment.get(name)]
    if missing:
        raise ConfigError(f"ingest youtube: webshare needs {' and '.join(missing)}", "set them in the environment")
    return WebshareProxyConfig(
        environment[WEBSHARE_USERNAME],
        environment[WEBSHARE_PASSWORD],
        filter_ip_locations=options.webshare_countries or None,
    )
