"""Filters as Qdrant's. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_client import models

from retrieval.stores.payload import AnyOf, Between, NoneOf, Within, conditions
from retrieval.types import Filters


def qdrant_filter(
    filters: Filters, more: Sequence[models.Condition] = (), *, without: Sequence[models.Condition] = ()
) -> models.Filter | None:
    """What a point's payload must satisfy; None if everything does.

    Args:
        more: Further conditions.
        without: Conditions of which none may hold.
    """
    must, must_not = list(more), list(without)
    for one in conditions(filters):
        match one:
            case AnyOf():
                must.append(models.FieldCondition(key=one.field, match=models.MatchAny(any=list(one.values))))
            case NoneOf():
                must_not.append(models.FieldCondition(key=one.field, match=models.MatchAny(any=list(one.values))))
            case Between():
                must.append(models.FieldCondition(key=one.field, range=models.Range(gte=one.at_least, lt=one.below)))
            case Within():
                centre = models.GeoPoint(lat=one.latitude, lon=one.longitude)
                circle = models.GeoRadius(center=centre, radius=one.radius_m)
                must.append(models.FieldCondition(key=one.field, geo_radius=circle))
    return models.Filter(must=must, must_not=must_not) if must or must_not else None
