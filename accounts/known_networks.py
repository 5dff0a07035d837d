"""The networks from which people have signed in. Only hashes are stored: they tell nobody where a person has been."""

from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import salted_hmac

from .models import KnownNetwork, User

KEPT_FOR = timedelta(days=90)


def is_known(user: User, network: str) -> bool:
    """Whether the person has signed in from `network`, an IP address or an IPv6 network, in the last 90 days."""
    since = timezone.now() - KEPT_FOR
    return user.known_networks.filter(digest=_digest(user, network), seen_at__gte=since).exists()


def remember(user: User, network: str) -> None:
    """Note a sign-in from `network`, and forget networks that were not used for 90 days."""
    now = timezone.now()
    KnownNetwork.objects.update_or_create(user=user, digest=_digest(user, network), defaults={"seen_at": now})
    user.known_networks.filter(seen_at__lt=now - KEPT_FOR).delete()


def _digest(user: User, network: str) -> str:
    return salted_hmac("accounts.known_networks", f"{user.pk} {network}", algorithm="sha256").hexdigest()
