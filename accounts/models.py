"""Users, customer kinds, departments and their members."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from content.sorting import NAME_COLLATION

from .enums import Role, Standing, Theme
from .names import first_name
from .passwords import canonical, spellings
from .validators import phone_validator, validate_time_zone
from .zones import zone_or_default


def default_time_zone() -> str:
    """Return `settings.TIME_ZONE`. A function, so that a changed setting needs no migration."""
    return settings.TIME_ZONE


def default_language() -> str:
    """Return `settings.DESK_DEFAULT_LANGUAGE`. A function, so that a changed setting needs no migration."""
    return settings.DESK_DEFAULT_LANGUAGE


class LocalisedName(models.Model):
    """A name in Spanish and, optionally, in English. `str()` returns the one in the active language."""

    name = models.CharField(_("nombre"), max_length=120, db_collation=NAME_COLLATION)
    name_en = models.CharField(_("nombre en inglés"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name_en if self.name_en and get_language() == "en" else self.name


class CustomerKind(LocalisedName):
    """A kind of customer, chosen by the organisation: parkiador, parkioferente … (S0.3)."""

    key = models.SlugField(_("clave"), unique=True)
    position = models.PositiveSmallIntegerField(_("orden"), default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("tipo de cliente")
        verbose_name_plural = _("tipos de cliente")


class Department(LocalisedName):
    """A team that tickets are routed to (S2.36–S2.39)."""

    key = models.SlugField(_("clave"), unique=True)
    is_active = models.BooleanField(_("activo"), default=True)
    position = models.PositiveSmallIntegerField(_("orden"), default=0)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="departments", verbose_name=_("miembros")
    )

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("departamento")
        verbose_name_plural = _("departamentos")


class UserQuerySet(models.QuerySet["User"]):
    def update(self, **values: Any) -> int:
        """Update the rows. With `role`, also update `is_superuser`, which follows from it. A new role or `is_active`
        ends the people's sessions, as `User.save` does."""
        if "role" in values:
            role = values["role"]
            is_expression = hasattr(role, "resolve_expression")  # `bulk_update` passes one
            administrator = models.Value(Role.ADMINISTRATOR)
            values["is_superuser"] = (
                Exact(role, administrator) if is_expression else role == Role.ADMINISTRATOR
            )
            if is_expression or role != Role.CUSTOMER:
                values["has_been_staff"] = True
        if {"role", "is_active"} & values.keys():
            values.setdefault("session_version", models.F("session_version") + 1)
        return super().update(**values)

    def former_staff(self) -> "UserQuerySet":
        """Return the people who were staff and may no longer act: they were deactivated, or are customers now."""
        left = models.Q(is_active=False) | models.Q(role=Role.CUSTOMER)
        return self.filter(left, has_been_staff=True)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        people = list(objs)
        for person in people:
            person.derive_fields()
        return super().bulk_create(people, *args, **kwargs)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "role": Role.ADMINISTRATOR})

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email=self.normalize_email(email))

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the address stripped and all in lower case, so that people can sign in however they type it."""
        return (email or "").strip().lower()

    def staff(self) -> models.QuerySet["User"]:
        """Return the active staff of every role, sorted by name. Tickets can be assigned to them."""
        return self.filter(is_active=True).exclude(role=Role.CUSTOMER).order_by("name", "pk")


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account, who signs in by e-mail. A customer unless an administrator gives another role."""

    email = models.EmailField(_("correo electrónico"), unique=True)
    name = models.CharField(_("nombre"), max_length=120, db_collation=NAME_COLLATION)
    role = models.CharField(_("rol"), max_length=16, choices=Role, default=Role.CUSTOMER)
    kind = models.ForeignKey(
        CustomerKind, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("tipo de cliente")
    )
    standing = models.CharField(
        _("estatus administrativo"), max_length=10, choices=Standing, default=Standing.ACTIVE
    )
    standing_since = models.DateField(_("estatus desde"), null=True, blank=True)
    phone = models.CharField(_("teléfono"), max_length=32, blank=True, validators=[phone_validator])
    external_account = models.CharField(
        _("cuenta externa"),
        max_length=120,
        blank=True,
        help_text=_("Su usuario en el sistema de la organización."),
    )
    language = models.CharField(
        _("idioma"), max_length=5, choices=settings.LANGUAGES, default=default_language
    )
    time_zone = models.CharField(
        _("zona horaria"), max_length=64, default=default_time_zone, validators=[validate_time_zone]
    )
    theme = models.CharField(_("tema"), max_length=5, choices=Theme, default=Theme.AUTO)
    notify_by_email = models.BooleanField(_("avisarme por correo"), default=True)
    keyboard_shortcuts = models.BooleanField(_("atajos de una tecla"), default=True)
    is_active = models.BooleanField(_("puede entrar"), default=True)
    date_joined = models.DateTimeField(_("desde"), default=timezone.now, editable=False)
    has_been_staff = models.BooleanField(default=False, db_default=False, editable=False)
    session_version = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        verbose_name = _("usuario")
        verbose_name_plural = _("usuarios")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_any_case",
                violation_error_message=_("Ya hay una cuenta con ese correo."),
            )
        ]
        indexes = [
            models.Index(fields=["role", "name"], name="user_role_name"),
            models.Index(
                fields=["id"],
                condition=models.Q(has_been_staff=True)
                & (models.Q(is_active=False) | models.Q(role=Role.CUSTOMER)),
                name="user_former_staff",
            ),
            models.Index(  # of all people few are staff, and nearly every page asks for some
                fields=["name", "id"],
                condition=models.Q(is_active=True) & ~models.Q(role=Role.CUSTOMER),
                name="user_staff",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the person. A new `role` or `is_active` ends their sessions: after a promotion or a return, a browser
        left signed in somewhere must not gain the new rights."""
        self.derive_fields()
        update_fields = kwargs.get("update_fields")
        if update_fields is None or not {"role", "is_active"}.isdisjoint(update_fields):
            derived = {"is_superuser", "has_been_staff"}
            if self.pk and self._access_changed():
                self.session_version += 1
                derived.add("session_version")
            if update_fields is not None:
                kwargs["update_fields"] = {*update_fields, *derived}
        super().save(*args, **kwargs)

    def derive_fields(self) -> None:
        """Set what follows from other fields. Every way of writing a person calls this."""
        self.email = UserManager.normalize_email(self.email)
        self.is_superuser = self.role == Role.ADMINISTRATOR
        self.has_been_staff = self.has_been_staff or self.is_desk_staff

    def _access_changed(self) -> bool:
        stored = User.objects.filter(pk=self.pk)
        return stored.exclude(role=self.role, is_active=self.is_active).exists()

    def end_sessions(self) -> None:
        """End all sessions of the person, in every browser."""
        User.objects.filter(pk=self.pk).update(session_version=models.F("session_version") + 1)
        self.refresh_from_db(fields=["session_version"])

    def get_session_auth_hash(self) -> str:
        """Return a hash of password, address and `session_version`: a session ends when one of them changes."""
        return self._with_identity(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return map(self._with_identity, super().get_session_auth_fallback_hash())

    def _with_identity(self, digest: str) -> str:
        # Without a version at first: sessions that are older than the column must not end.
        version = f" {self.session_version}" if self.session_version else ""
        return hashlib.sha256(f"{digest} {self.email}{version}".encode()).hexdigest()

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(None if raw_password is None else canonical(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Whether the password is right, in whatever Unicode form the keyboard composed it.

        Passwords set before they were normalised were hashed as typed, so every form is tried. All are always tried:
        the time must tell neither whether the account exists nor which form matched.
        """
        check = super().check_password
        results = [check(form) for form in spellings(raw_password or "")]
        return any(results)

    @property
    def zone(self) -> ZoneInfo:
        """The person's time zone; the desk's if the system does not know it any more."""
        return zone_or_default(self.time_zone)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return first_name(self.name) or self.email

    @property
    def is_staff(self) -> bool:
        """Whether the person may use Django's admin, which reads this name. For staff of any role use
        `is_desk_staff`."""
        return self.role == Role.ADMINISTRATOR

    @property
    def is_desk_staff(self) -> bool:
        return self.role != Role.CUSTOMER

    @property
    def is_active_staff(self) -> bool:
        """Whether the person is staff and may act. Whoever may not counts as nobody: see `former_staff`."""
        return self.is_active and self.is_desk_staff

    @property
    def is_supervisor(self) -> bool:
        return self.has_role(Role.SUPERVISOR)

    def has_role(self, role: Role) -> bool:
        """Whether the person holds `role` or one above it."""
        return Role(self.role).rank >= role.rank

    @property
    def is_inactive_standing(self) -> bool:
        return self.standing == Standing.INACTIVE

    @cached_property
    def cached_memberships(self) -> tuple["Membership", ...]:
        """The person's memberships with their departments, read once because a page uses them many times. A query for
        many people may have read them before: `prefetch_related("memberships__department")`."""
        if "memberships" in getattr(self, "_prefetched_objects_cache", {}):
            return tuple(self.memberships.all())
        return tuple(self.memberships.select_related("department"))

    @cached_property
    def department_ids(self) -> frozenset[int]:
        return frozenset(place.department_id for place in self.cached_memberships)

    def belongs_to(self, department_key: str) -> bool:
        return any(place.department.key == department_key for place in self.cached_memberships)

    def manages(self, department_id: int | None) -> bool:
        return any(
            place.is_manager and place.department_id == department_id for place in self.cached_memberships
        )

    @cached_property
    def group_names(self) -> frozenset[str]:
        """The names of the person's groups in lower case. Groups are the roles that an organisation adds (S4.25)."""
        return frozenset(name.lower() for name in self.groups.values_list("name", flat=True))


class Membership(models.Model):
    """A person's membership of a department, as a manager or not."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("persona")
    )
    department = models.ForeignKey(
        Department, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("departamento")
    )
    is_manager = models.BooleanField(_("encargado"), default=False)

    class Meta:
        verbose_name = _("pertenencia")
        verbose_name_plural = _("pertenencias")
        constraints = [
            models.UniqueConstraint(fields=["user", "department"], name="membership_once_per_department")
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.department}"


class KnownNetwork(models.Model):
    """A network from which a person has signed in, as a hash. See `accounts.known_networks`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_networks")
    digest = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="known_network_once_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.digest[:8]}"


class ConnectedApp(models.Model):
    """An app or site of the organisation that sends its people here signed in (S0.5). See `accounts.app_links`."""

    key = models.SlugField(_("clave"), unique=True, max_length=40)
    """The app's name in its links (`iss`)."""
    name = models.CharField(_("nombre"), max_length=80)
    address = models.URLField(
        _("dirección"), max_length=300, blank=True, help_text=_("A dónde volver si un enlace no sirve.")
    )
    is_active = models.BooleanField(_("puede enviar personas"), default=True)
    created_at = models.DateTimeField(_("desde"), auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("aplicación conectada")
        verbose_name_plural = _("aplicaciones conectadas")

    def __str__(self) -> str:
        return self.name


class AppSecret(models.Model):
    """A secret with which an app signs its links. Two work at once, so that a new one can replace the other."""

    app = models.ForeignKey(ConnectedApp, on_delete=models.CASCADE, related_name="secrets")
    key_id = models.CharField(max_length=16, unique=True)
    """The secret's name in a link (`kid`). It says nothing about the secret."""
    sealed = models.TextField()
    """The secret, encrypted (`content.sealing`): checking a signature needs the secret itself."""
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.app} · {self.key_id}"


class AppPerson(models.Model):
    """The account of a person whom an app knows by `subject`, its own id of them."""

    app = models.ForeignKey(ConnectedApp, on_delete=models.CASCADE, related_name="people")
    subject = models.CharField(max_length=200)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="app_people")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "subject"], name="app_person_once_per_app")]

    def __str__(self) -> str:
        return f"{self.app} · {self.subject}"


class UsedAppLink(models.Model):
    """A link that has been used, kept until it has expired: it must not work twice."""

    app = models.ForeignKey(ConnectedApp, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "digest"], name="app_link_used_once")]

    def __str__(self) -> str:
        return f"{self.app_id} · {self.digest[:8]}"
