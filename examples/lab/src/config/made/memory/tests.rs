use super::*;

const INSTANCE: Uuid = Uuid::from_u128(1);
const TUPLE: Uuid = Uuid::from_u128(2);
const OTHER: Uuid = Uuid::from_u128(3);
const LEFT: Uuid = Uuid::from_u128(4);
const RIGHT: Uuid = Uuid::from_u128(5);

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A tuple made at 0 whose interfaces joined then.
fn joined_after(milliseconds: u64) -> Memory {
    let mut memory = Memory::default();
    memory.tuple_made(TUPLE, INSTANCE, at(0));
    join(&mut memory, TUPLE, milliseconds);
    memory
}

fn join(memory: &mut Memory, tuple: Uuid, milliseconds: u64) {
    memory.joined(LEFT, "left", tuple, at(milliseconds));
    memory.joined(RIGHT, "right", tuple, at(milliseconds));
}

fn leave(memory: &mut Memory, milliseconds: u64) {
    memory.left(LEFT, TUPLE, at(milliseconds));
    memory.left(RIGHT, TUPLE, at(milliseconds));
}

fn delete(memory: &mut Memory, milliseconds: u64) {
    memory.interface_deleted(LEFT, at(milliseconds));
    memory.interface_deleted(RIGHT, at(milliseconds));
}

fn known(memory: &Memory) -> [bool; 2] {
    [memory.is_known(LEFT), memory.is_known(RIGHT)]
}

#[test]
fn a_tuple_that_is_deleted_after_its_interfaces_stays_behind() {
    for leaves in [false, true] {
        let mut memory = joined_after(0);
        if leaves {
            leave(&mut memory, 3000);
        }
        delete(&mut memory, 6000);
        memory.tuple_deleted(TUPLE, |_| false);
        assert!(memory.has_ghost(INSTANCE), "{leaves}");
        memory.instance_deleted(INSTANCE);
        assert!(!memory.has_ghost(INSTANCE));
    }
}

#[test]
fn a_tuple_that_is_deleted_before_its_interfaces_is_gone() {
    let mut memory = joined_after(0);
    leave(&mut memory, 3000);
    memory.tuple_deleted(TUPLE, |_| true);
    delete(&mut memory, 3000);
    assert!(!memory.has_ghost(INSTANCE));
}

#[test]
fn interfaces_that_join_a_second_after_the_tuple_was_made_are_not_listed() {
    for (joined, is_ghost) in [(999, true), (1000, false)] {
        let mut memory = joined_after(joined);
        delete(&mut memory, 6000);
        memory.tuple_deleted(TUPLE, |_| false);
        assert_eq!(memory.has_ghost(INSTANCE), is_ghost, "{joined}");
    }
}

#[test]
fn a_ghost_goes_when_a_tuple_of_its_id_is_made_and_stays_when_another_is() {
    let mut memory = joined_after(0);
    delete(&mut memory, 3000);
    memory.tuple_deleted(TUPLE, |_| false);
    memory.tuple_made(OTHER, INSTANCE, at(4000));
    assert!(memory.has_ghost(INSTANCE));
    memory.tuple_made(TUPLE, INSTANCE, at(5000));
    assert!(!memory.has_ghost(INSTANCE));
}

#[test]
fn an_interface_deleted_as_a_member_is_unknown_until_it_left_for_a_second() {
    let mut memory = joined_after(0);
    assert_eq!(known(&memory), [true, true]);
    delete(&mut memory, 3000);
    join(&mut memory, TUPLE, 90_000);
    assert_eq!(known(&memory), [false, false]);
    for (left, back, expected) in [(91_000, 91_999, false), (93_000, 94_000, true)] {
        leave(&mut memory, left);
        join(&mut memory, TUPLE, back);
        assert_eq!(known(&memory), [expected, expected]);
    }
}

#[test]
fn leaving_and_joining_at_once_changes_nothing_for_one_that_is_known() {
    let mut memory = joined_after(0);
    leave(&mut memory, 3000);
    join(&mut memory, TUPLE, 3000);
    assert_eq!(known(&memory), [true, true]);
}

#[test]
fn ids_that_come_back_within_a_second_are_unknown() {
    // The address of the second of them still shows the one that was deleted too soon.
    for (back, expected) in [(3500, [false, false]), (4000, [true, false])] {
        let mut memory = joined_after(0);
        leave(&mut memory, 3000);
        delete(&mut memory, 3000);
        join(&mut memory, TUPLE, back);
        assert_eq!(known(&memory), expected, "{back}");
    }
    let mut memory = joined_after(0);
    leave(&mut memory, 3000);
    delete(&mut memory, 4000);
    join(&mut memory, TUPLE, 4000);
    assert_eq!(known(&memory), [true, true]);
}

#[test]
fn with_their_tuple_made_again_within_a_second_one_of_two_is_unknown() {
    let mut memory = joined_after(0);
    leave(&mut memory, 3000);
    memory.tuple_deleted(TUPLE, |_| true);
    delete(&mut memory, 3000);
    memory.tuple_made(TUPLE, INSTANCE, at(3000));
    join(&mut memory, TUPLE, 3000);
    assert_eq!(known(&memory), [true, false]);
}

#[test]
fn an_address_shows_an_interface_deleted_as_a_member_until_another_gets_it() {
    let shown = |memory: &Memory| memory.shown_after_deletion(INSTANCE, "left");
    let mut memory = joined_after(0);
    delete(&mut memory, 3000);
    assert_eq!(shown(&memory), BTreeSet::from([LEFT]));
    memory.tuple_made(OTHER, INSTANCE, at(6000));
    memory.joined(Uuid::from_u128(9), "left", OTHER, at(6000));
    assert!(shown(&memory).is_empty());
}

#[test]
fn an_address_does_not_show_an_interface_that_left_in_time() {
    let mut memory = joined_after(0);
    leave(&mut memory, 3000);
    delete(&mut memory, 6000);
    assert!(memory.shown_after_deletion(INSTANCE, "right").is_empty());
    // Right after it left, only a deleted tuple hurries the service monitor.
    for (deletes_tuple, shown) in [(true, 0), (false, 1)] {
        let mut memory = joined_after(0);
        leave(&mut memory, 3000);
        if deletes_tuple {
            memory.tuple_deleted(TUPLE, |_| true);
        }
        delete(&mut memory, 3000);
        let right = memory.shown_after_deletion(INSTANCE, "right");
        assert_eq!(right.len(), shown, "{deletes_tuple}");
        assert!(memory.shown_after_deletion(INSTANCE, "left").is_empty());
    }
}

#[test]
fn what_is_remembered_survives_a_snapshot() {
    let mut memory = joined_after(0);
    delete(&mut memory, 3000);
    memory.tuple_deleted(TUPLE, |_| false);
    let text = serde_json::to_string(&memory).unwrap();
    assert_eq!(serde_json::from_str::<Memory>(&text).unwrap(), memory);
}
