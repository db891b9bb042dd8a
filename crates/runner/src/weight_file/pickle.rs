//! How much a pickle would build, counted before a reader builds it.
//!
//! A pickle is a program for a small stack machine. The reader runs none of what it calls, but it
//! makes an object of every byte that asks for one, some eighty bytes each: a small file, packed or
//! not, could ask for more than there is. Here its instructions are only stepped over and counted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use zip::ZipArchive;

/// A state dict has about forty instructions a tensor, networks here some fifty tensors.
const MAX_INSTRUCTIONS: u64 = 1_000_000;
/// Of names and numbers; weights lie elsewhere.
const MAX_BYTES: u64 = 16 << 20;
/// A legacy file begins with as many: a magic number, the protocol, the system, the state dict, and
/// the order of its storages.
const PICKLES: usize = 5;
/// An archive of weights has one file a tensor.
const MAX_ENTRIES: usize = 100_000;

/// Why a file is not handed to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch;

/// What is broken, and not too large, is left to the reader, which says what is wrong with it.
pub(super) fn measure(file: &mut File) -> io::Result<Result<(), TooMuch>> {
    let mut beginning = [0; 4];
    file.rewind()?;
    let length = file.by_ref().take(4).read(&mut beginning)?;
    file.rewind()?;
    let left = Left { instructions: MAX_INSTRUCTIONS, bytes: MAX_BYTES };
    match &beginning[..length] {
        b"PK\x03\x04" | b"PK\x05\x06" => Ok(measure_zip(file, left)),
        _ => Ok(measure_pickles(&mut BufReader::new(file), left)),
    }
}

/// What may still be asked for.
struct Left {
    instructions: u64,
    bytes: u64,
}

/// Why stepping ended before the last instruction.
enum End {
    TooMuch,
    /// No pickle, or one cut off: the reader comes to the same place.
    Broken,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> End {
        End::Broken
    }
}

/// Every file that the reader could take for the state dict.
fn measure_zip(file: &mut File, mut left: Left) -> Result<(), TooMuch> {
    let Ok(mut zip) = ZipArchive::new(BufReader::new(file)) else { return Ok(()) };
    if zip.len() > MAX_ENTRIES {
        return Err(TooMuch);
    }
    let is_pickle = |zip: &ZipArchive<_>, i| {
        let name = zip.name_for_index(i).and_then(Result::ok);
        name.is_some_and(|name| name.ends_with("data.pkl"))
    };
    for i in (0..zip.len()).filter(|&i| is_pickle(&zip, i)).collect::<Vec<_>>() {
        let Ok(entry) = zip.by_index(i) else { continue };
        if entry.size() > MAX_BYTES {
            return Err(TooMuch);
        }
        if let Err(End::TooMuch) = left.step_over(&mut BufReader::new(entry)) {
            return Err(TooMuch);
        }
    }
    Ok(())
}

fn measure_pickles(reader: &mut impl BufRead, mut left: Left) -> Result<(), TooMuch> {
    for _ in 0..PICKLES {
        match left.step_over(reader) {
            Ok(()) => {}
            Err(End::Broken) => return Ok(()),
            Err(End::TooMuch) => return Err(TooMuch),
        }
    }
    Ok(())
}

impl Left {
    /// Steps over one pickle, to behind its `STOP`.
    fn step_over(&mut self, reader: &mut impl BufRead) -> Result<(), End> {
        loop {
            let [instruction] = take(reader)?;
            self.instructions = self.instructions.checked_sub(1).ok_or(End::TooMuch)?;
            match instruction {
                b'.' => return Ok(()),
                b'('
                | b')'
                | b']'
                | b'}'
                | b'0'..=b'2'
                | b'N'
                | b'Q'
                | b'R'
                | b'a'
                | b'b'
                | b'd'
                | b'e'
                | b'l'
                | b's'
                | b't'
                | b'u' => {}
                0x81 | 0x85..=0x89 | 0x8f..=0x94 => {}
                b'K' | b'h' | b'q' | 0x80 => self.skip(reader, 1)?,
                b'M' => self.skip(reader, 2)?,
                b'J' | b'j' | b'r' => self.skip(reader, 4)?,
                b'G' | 0x95 => self.skip(reader, 8)?,
                b'F' | b'I' | b'L' | b'P' | b'V' | b'g' | b'p' => self.skip_line(reader)?,
                b'c' => {
                    self.skip_line(reader)?;
                    self.skip_line(reader)?;
                }
                b'C' | b'U' | 0x8a | 0x8c => {
                    let length = u8::from_le_bytes(take(reader)?);
                    self.skip(reader, length.into())?;
                }
                b'B' | b'T' | b'X' | 0x8b => {
                    let length = u32::from_le_bytes(take(reader)?);
                    self.skip(reader, length.into())?;
                }
                0x8d | 0x8e | 0x96 => {
                    let length = u64::from_le_bytes(take(reader)?);
                    self.skip(reader, length)?;
                }
                // The reader knows no other.
                _ => return Err(End::Broken),
            }
        }
    }

    fn skip(&mut self, reader: &mut impl BufRead, length: u64) -> Result<(), End> {
        self.bytes = self.bytes.checked_sub(length).ok_or(End::TooMuch)?;
        match io::copy(&mut reader.take(length), &mut io::sink())? == length {
            true => Ok(()),
            false => Err(End::Broken),
        }
    }

    fn skip_line(&mut self, reader: &mut impl BufRead) -> Result<(), End> {
        let mut line = Vec::new();
        let length = reader.take(self.bytes + 1).read_until(b'\n', &mut line)? as u64;
        self.bytes = self.bytes.checked_sub(length).ok_or(End::TooMuch)?;
        if line.ends_with(b"\n") { Ok(()) } else { Err(End::Broken) }
    }
}

fn take<const N: usize>(reader: &mut impl BufRead) -> Result<[u8; N], End> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(pickle: &[u8]) -> Result<(), TooMuch> {
        measure_pickles(&mut &pickle[..], Left { instructions: 20, bytes: 100 })
    }

    #[test]
    fn instructions_and_bytes_are_counted_over_all_pickles() {
        assert_eq!(measured(&[&[b'N'; 19][..], b"."].concat()), Ok(()));
        assert_eq!(measured(&[b'N'; 21]), Err(TooMuch));
        assert_eq!(measured(&b"NNNNNNN.".repeat(3)), Err(TooMuch));
        assert_eq!(measured(b"X\x65\0\0\0"), Err(TooMuch), "before it is read");
        assert_eq!(measured(b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff"), Err(TooMuch));
        assert_eq!(measured(&[&b"C\x63"[..], &[0; 99], b"I1\n."].concat()), Err(TooMuch));
        assert_eq!(measured(&[&b"V"[..], &[b'x'; 101]].concat()), Err(TooMuch), "no end of line");
    }

    #[test]
    fn what_is_broken_is_left_to_the_reader() {
        for pickle in [&b""[..], b"\xff", b"X\x05\0\0\0abc", b"cos\n", b"(lp0\nI1\na.\x00"] {
            assert_eq!(measured(pickle), Ok(()), "{pickle:?}");
        }
    }

    /// Every file of the vectors, through to its end.
    #[test]
    fn real_files_stay_far_below() {
        for name in ["zipped.pth", "legacy.pth", "cut.pth", "dropout_shifted.pth"] {
            let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/vectors");
            let mut file = File::open(format!("{vectors}/{name}")).expect("committed");
            assert_eq!(measure(&mut file).expect("readable"), Ok(()), "{name}");
        }
        let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/vectors");
        let bytes = std::fs::read(format!("{vectors}/legacy.pth")).expect("committed");
        let mut left = Left { instructions: 5_000, bytes: 10_000 };
        let mut reader = &bytes[..];
        for pickle in 0..PICKLES {
            assert!(left.step_over(&mut reader).is_ok(), "pickle {pickle}");
        }
        assert!(left.instructions > 0 && reader.len() > 8, "what follows are the storages");
    }
}
