from django.conf import settings
from django.http import HttpRequest


def desk(request: HttpRequest) -> dict[str, object]:
    """Return the help desk's name and contacts, whether it is the demo, and the upload limit, for every template."""
    return {
        "desk": {
            "name": settings.DESK_NAME,
            "support_email": settings.DESK_SUPPORT_EMAIL,
            "support_phone": settings.DESK_SUPPORT_PHONE,
            "support_whatsapp": settings.DESK_SUPPORT_WHATSAPP,
            "demo": settings.DESK_DEMO,
            "max_upload_mb": settings.DESK_MAX_UPLOAD_MB,
        }
    }
