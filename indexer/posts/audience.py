"""Who may read a record, as far as its fields say: one that is not known to be for everybody is not public. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import Enum
from functools import lru_cache

from indexer.posts.field_values import show


class _Says(Enum):
    """What a field's value says: a word for those who may read; whether nobody may; whether all may; a secret."""

    LEVEL = 0
    PRIVATE = 1
    PUBLIC = 2
    SECRET = 3


# Names without case, marks and white space: "post_status" is "poststatus".
_LEVEL_NAMES = """
    visibility visibilitylevel audience audiences privacy privacylevel privacysetting privacytype privacyscope access
    accesslevel accessrights security viewpermission readpermission status poststatus publishstatus publicationstatus
    visiblelevel visibletype visibleto sharedwith whocansee
    可见性 可见范围 可见 可见权限 谁可以看 谁能看 权限 查看权限 阅读权限 隐私 隐私设置 隐私权限 状态 发布状态 公开范围
    公开状态 可見性 可見範圍 隱私 隱私設定 狀態 公開範囲 公開範圍 公開設定 公開状態 ステータス 공개범위 상태
    sichtbarkeit visibilité visibilite confidentialité statut visibilidad privacidad estado visibilidade privacidade
    visibilità видимость приватность статус доступ
"""
_PRIVATE_NAMES = """
    private isprivate protected isprotected draft isdraft hidden ishidden secret issecret dm isdm pm ispm isdirect
    direct directmessage isdirectmessage followersonly friendsonly subscribersonly membersonly onlyme selfonly
    isdeleted deleted trashed istrashed
    私密 是否私密 是否私有 私有 仅自己可见 草稿 是否草稿 私信 仅粉丝可见 好友可见 非公开 已删除 是否删除 隐藏 私人
    下書き 非公開 privat entwurf brouillon privé borrador privado rascunho черновик приватно
"""
_PUBLIC_NAMES = """
    public ispublic published ispublished visible isvisible 公开 是否公开 公開 是否公開 已发布 是否发布 공개여부
"""
_CLOSED_NAMES = """
    password postpassword passcode 密码 访问密码 密碼 パスワード passwort motdepasse contraseña senha пароль
    recipient recipientid recipients recipientids receiver receiverid touserid 收件人 接收者 接收人 收信人
"""
_WORDS_FOR_ALL = """
    public publicly everyone everybody anyone all world worldreadable open publish published live active normal approved
    visible posted released 公开 公開 公开可见 所有人 所有人可见 所有人可見 任何人 全部 已发布 已發布 发布 正常 全体公開
    전체공개 공개 öffentlich oeffentlich veröffentlicht publié público publico publicado pubblico публичный опубликовано
"""
_WORDS_FOR_NO = "0 0.0 false f no n off none null nein non nej não нет 否 不 不是 无 公开 いいえ 아니오"
_WORDS_FOR_YES = "1 1.0 true t yes y on public ja oui sí si sim да 是 公开 公開 はい 예"
_LEVELS, _PRIVATE, _PUBLICS, _SECRETS = (
    frozenset(names.split()) for names in (_LEVEL_NAMES, _PRIVATE_NAMES, _PUBLIC_NAMES, _CLOSED_NAMES)
)
_FOR_ALL, _NO, _YES = (frozenset(words.split()) for words in (_WORDS_FOR_ALL, _WORDS_FOR_NO, _WORDS_FOR_YES))
_MARKS = re.compile(r"[\W_]+")
_AUTHORS = ("user", "account", "author", "owner", "profile")
_LOCKED = frozenset(["protected", "isprotected", "private", "isprivate", "privateaccount", "isprivateaccount"])


def audience_fields(names: Collection[str]) -> list[str]:
    """Those of the names that may say who may read a record."""
    return [name for name in names if _says(name) is not None]


def hindrance(record: Mapping[str, object], decided: Collection[str] = ()) -> str:
    """Why a record is not known to be public, as a reason with a plural noun; "" if nothing says so.

    A word that is not known to mean everybody does not mean everybody.

    Args:
        decided: Names of fields that somebody else decides about.

    >>> hindrance({"text": "a", "visibility": "Friends"}), hindrance({"text": "a", "visibility": "Public"})
    ("posts whose 'visibility' is 'Friends'", '')
    """
    for name, value in record.items():
        says = _says(name)
        if says is not None and name not in decided and not _is_for_all(value, says):
            return reason(name, value)
    for name in _AUTHORS:
        author = record.get(name)
        for inner, value in author.items() if isinstance(author, dict) else ():
            if isinstance(inner, str) and _plain(inner) in _LOCKED and not _is_for_all(value, _Says.PRIVATE):
                return "posts of protected accounts"
    return ""


def reason(name: str, value: object) -> str:
    """A reason to pass over posts that names the field; a secret's value is not named."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("value", "type", "name") if key in value), value)
    if _says(name) is _Says.SECRET:
        return f"posts with a {name[:40]!r}"
    shown = show(value).removeprefix("the string ")[:60]
    return f"posts whose {name[:40]!r} is {shown}"


def is_no(value: object) -> bool:
    """Whether a value certainly says no, in the languages that exports are written in."""
    return value is None or value is False or (not isinstance(value, bool) and _word(value) in {"", *_NO})


def _is_for_all(value: object, says: _Says) -> bool:
    if value is None or value in ("", [], {}):
        return True  # as if the field were not there
    if isinstance(value, dict):
        inner = [value[key] for key in ("value", "type", "name") if key in value]
        return bool(inner) and all(_is_for_all(one, says) for one in inner)
    if isinstance(value, list):
        return says is not _Says.SECRET and all(_is_for_all(one, says) for one in value)
    match says:
        case _Says.LEVEL:
            return isinstance(value, str) and (not value.strip() or _plain(value) in _FOR_ALL)
        case _Says.PRIVATE:
            return is_no(value)
        case _Says.PUBLIC:
            return value is True or (not isinstance(value, bool) and (_word(value) in _YES or _is_moment(value)))
    return isinstance(value, str) and not value.strip()


def _is_moment(value: object) -> bool:
    """Whether it is a time, as "published" often is."""
    text = str(value).strip()
    return len(text) >= 8 and sum(map(str.isdigit, text)) >= 6


def _word(value: object) -> str:
    return str(value).strip().casefold()


@lru_cache(maxsize=8192)  # records of a file have the same few names
def _says(name: str) -> _Says | None:
    plain = _plain(name.rpartition(":")[2])
    if plain in _LEVELS:
        return _Says.LEVEL
    if plain in _PRIVATE:
        return _Says.PRIVATE
    if plain in _PUBLICS:
        return _Says.PUBLIC
    return _Says.SECRET if plain in _SECRETS else None


def _plain(name: str) -> str:
    return _MARKS.sub("", name).casefold()
