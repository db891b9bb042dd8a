//! Event files as their formats are described: framing, bitwise CRC, protobuf's wire format.
//! Slow, and without `crc32c` and `prost`.

use std::path::Path;

/// One protobuf field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wire {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(Vec<u8>),
    Fixed32([u8; 4]),
}

/// A message as its fields, in file order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields(Vec<(u32, Wire)>);

/// The events of a file; panics where a checksum or the framing is wrong.
pub(crate) fn events(path: &Path) -> Vec<Fields> {
    let bytes = std::fs::read(path).expect("an event file");
    let mut rest = &bytes[..];
    let mut events = Vec::new();
    while !rest.is_empty() {
        let length = take(&mut rest, 8);
        assert_eq!(masked_crc(length), u32_of(take(&mut rest, 4)), "checksum of a length");
        let length = u64::from_le_bytes(length.try_into().expect("8 bytes"));
        let data = take(&mut rest, length as usize);
        assert_eq!(masked_crc(data), u32_of(take(&mut rest, 4)), "checksum of an event");
        events.push(Fields::parse(data));
    }
    events
}

impl Fields {
    pub(crate) fn parse(mut rest: &[u8]) -> Fields {
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let key = varint(&mut rest);
            let value = match key & 7 {
                0 => Wire::Varint(varint(&mut rest)),
                1 => Wire::Fixed64(take(&mut rest, 8).try_into().expect("8 bytes")),
                2 => {
                    let length = varint(&mut rest) as usize;
                    Wire::Bytes(take(&mut rest, length).to_vec())
                }
                5 => Wire::Fixed32(take(&mut rest, 4).try_into().expect("4 bytes")),
                other => panic!("wire type {other}"),
            };
            fields.push(((key >> 3) as u32, value));
        }
        Fields(fields)
    }

    fn all(&self, number: u32) -> impl Iterator<Item = &Wire> {
        self.0.iter().filter(move |(found, _)| *found == number).map(|(_, value)| value)
    }

    /// The only field of this number, if it is there.
    fn one(&self, number: u32) -> Option<&Wire> {
        let mut found = self.all(number);
        let first = found.next();
        assert!(found.next().is_none(), "field {number} twice in {self:?}");
        first
    }

    pub(crate) fn has(&self, number: u32) -> bool {
        self.one(number).is_some()
    }

    /// 0 where it is absent, as protobuf has it.
    pub(crate) fn int(&self, number: u32) -> u64 {
        match self.one(number) {
            None => 0,
            Some(Wire::Varint(value)) => *value,
            other => panic!("field {number} is {other:?}"),
        }
    }

    pub(crate) fn double(&self, number: u32) -> f64 {
        match self.one(number) {
            None => 0.0,
            Some(Wire::Fixed64(bytes)) => f64::from_le_bytes(*bytes),
            other => panic!("field {number} is {other:?}"),
        }
    }

    /// A member of a `oneof`: absent is not 0.
    pub(crate) fn float(&self, number: u32) -> Option<f32> {
        self.one(number).map(|value| match value {
            Wire::Fixed32(bytes) => f32::from_le_bytes(*bytes),
            other => panic!("field {number} is {other:?}"),
        })
    }

    pub(crate) fn bytes(&self, number: u32) -> Vec<u8> {
        match self.one(number) {
            None => vec![],
            Some(Wire::Bytes(bytes)) => bytes.clone(),
            other => panic!("field {number} is {other:?}"),
        }
    }

    pub(crate) fn text(&self, number: u32) -> String {
        String::from_utf8(self.bytes(number)).expect("UTF-8")
    }

    pub(crate) fn message(&self, number: u32) -> Fields {
        Fields::parse(&self.bytes(number))
    }

    pub(crate) fn messages(&self, number: u32) -> Vec<Fields> {
        let message = |value: &Wire| match value {
            Wire::Bytes(bytes) => Fields::parse(bytes),
            other => panic!("field {number} is {other:?}"),
        };
        self.all(number).map(message).collect()
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at(count);
    *rest = left;
    taken
}

fn u32_of(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("4 bytes"))
}

fn varint(rest: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = take(rest, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}

/// Bit by bit, by the reversed Castagnoli polynomial.
fn masked_crc(data: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}
