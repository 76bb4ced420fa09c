"""Which posts are new, changed and unchanged."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.pipeline.plan import PlanCounts, is_small, plan_reindex

HASHES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["1.0", "1.1", "2.0", "2.1"]))


@given(HASHES, HASHES)
def test_each_offered_post_is_in_one_place_and_unchanged_means_the_same_pair(
    offered: dict[str, str], stored: dict[str, str]
) -> None:
    plan = plan_reindex(offered.items(), stored)
    assert sorted(plan.add + plan.change + plan.recount + plan.keep) == sorted(offered)
    assert all(offered[one][:2] == stored[one][:2] for one in plan.recount)
    assert all(offered[one][:2] != stored[one][:2] for one in plan.change)
    assert set(plan.keep) == {post_id for post_id, _ in offered.items() & stored.items()}
    assert set(plan.add) == offered.keys() - stored.keys()


@given(HASHES)
def test_what_was_stored_and_is_offered_again_is_nothing_new(posts: dict[str, str]) -> None:
    counts = PlanCounts().plus(plan_reindex(posts.items(), posts))
    assert counts.nothing_new
    assert counts.offered == len(posts)


def test_a_copy_under_a_new_id_is_added() -> None:
    assert plan_reindex([("copy", "1")], {"original": "1"}).add == ("copy",)


def test_counts_add_up_over_batches() -> None:
    counts = (
        PlanCounts()
        .plus(plan_reindex([("a", "1"), ("b", "2")], {"b": "1"}))
        .plus(plan_reindex([("c", "1")], {"c": "1"}))
    )
    assert counts == PlanCounts(added=1, changed=1, unchanged=1)
    assert not counts.nothing_new


def test_a_change_is_small_up_to_a_fifth_of_what_is_stored() -> None:
    assert is_small(PlanCounts(added=1, changed=1, recounted=1, unchanged=90, deleted=1), 20)
    assert not is_small(PlanCounts(added=1, changed=2, recounted=1, deleted=1), 20)
