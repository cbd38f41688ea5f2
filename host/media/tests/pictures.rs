//! Files of every format against what Pillow makes of them, and the same files cut and damaged. `files.py` makes them.

use std::path::Path;

use mimus_media::{MediaError, Orientation, decode, limits, orient};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Checks a file's pixels against those that Pillow has. `most` is the largest difference of a channel.
fn check(name: &str, pixels: &str, most: u8) {
    let decoded = decode(&file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((decoded.image.width(), decoded.image.height()), (17, 13), "{name}");
    assert_eq!(decoded.orientation, Orientation::Upright, "{name}");
    let expect = file(pixels);
    let difference = decoded.image.pixels().iter().zip(&expect).map(|(ours, theirs)| ours.abs_diff(*theirs)).max();
    assert!(difference <= Some(most), "{name} differs by {difference:?}");
}

#[test]
fn formats_without_loss_keep_every_pixel() {
    for (name, pixels) in [
        ("rgb.png", "rgb.rgb"),
        ("rgb.bmp", "rgb.rgb"),
        ("rgb.tif", "rgb.rgb"),
        ("rgb.webp", "rgb.rgb"),
        ("palette.png", "palette.rgb"),
        ("palette.gif", "palette.rgb"),
        ("grey.png", "grey.rgb"),
        ("grey.tif", "grey.rgb"),
    ] {
        check(name, pixels, 0);
    }
    check("rgba.png", "rgba.rgb", 1);
    check("rgba.webp", "rgba.rgb", 1);
}

#[test]
fn jpeg_is_what_libjpeg_makes_of_it() {
    for name in ["420", "422", "444", "progressive", "restart", "luma", "print"] {
        check(&format!("{name}.jpg"), &format!("{name}.rgb"), 3);
    }
}

#[test]
fn pictures_stand_upright_as_their_exif_says() {
    let upright = String::from_utf8(file("upright.txt")).expect("text");
    assert_eq!(upright.lines().count(), 8);
    for line in upright.lines() {
        let [number, width, height, pixels] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        for suffix in ["png", "jpg", "webp", "tif"] {
            let name = format!("turned-{number}.{suffix}");
            let decoded = decode(&file(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((decoded.orientation as u8).to_string(), number, "{name}");
            let image = orient(decoded.image, decoded.orientation);
            assert_eq!([image.width().to_string(), image.height().to_string()], [width, height], "{name}");
            if suffix != "jpg" {
                let ours: String = image.pixels().iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(ours, pixels, "{name}");
            }
        }
    }
}

/// Every file in the folder, by name.
fn all_files() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let names = entries.map(|name| name.into_string().expect("a plain name"));
    let pictures = names.filter(|name| !name.ends_with(".rgb") && !name.ends_with(".txt"));
    pictures.map(|name| (name.clone(), file(&name))).collect()
}

#[test]
fn a_file_cut_anywhere_is_malformed() {
    for (name, bytes) in all_files() {
        let whole = decode(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        for cut in 0..bytes.len() {
            match decode(&bytes[..cut]) {
                Err(MediaError::Empty) => assert_eq!(cut, 0, "{name}"),
                Err(MediaError::Malformed(_)) => {}
                Err(error) => panic!("{name} cut at {cut}: {error}"),
                // What comes after the pixels need not be there: the end chunk of PNG, the second frame of GIF.
                Ok(decoded) => assert_eq!(decoded.image, whole.image, "{name} cut at {cut}"),
            }
        }
    }
}

#[test]
fn a_damaged_file_is_a_picture_or_an_error() {
    const ROUNDS: usize = 300;
    let seed = std::env::var("MIMUS_SEED").ok().map_or_else(rand::random, |seed| seed.parse().expect("a number"));
    println!("MIMUS_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for (name, bytes) in all_files() {
        for round in 0..ROUNDS {
            let mut damaged = bytes.clone();
            for _ in 0..random.random_range(1..=4) {
                let at = random.random_range(0..damaged.len());
                damaged[at] = random.random();
            }
            if let Ok(decoded) = decode(&damaged) {
                let (width, height) = (decoded.image.width(), decoded.image.height());
                assert!(u64::from(width) * u64::from(height) <= limits::PIXELS_MAX, "{name}, round {round}");
            }
        }
    }
}

/// The first bytes of a PNG file of this size: its head and its kind of pixels.
fn png_head(width: u32, height: u32) -> Vec<u8> {
    let mut head = [&b"IHDR"[..], &width.to_be_bytes(), &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let sum = crc32(&head);
    head.extend(sum.to_be_bytes());
    [&b"\x89PNG\r\n\x1a\n\0\0\0\x0d"[..], &head, b"\0\0\0\0IDAT"].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[test]
fn a_size_past_the_bounds_is_refused_before_memory_is_taken() {
    let bmp = |width: i32, height: i32| {
        let mut bytes = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bytes.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
        bytes.extend(b"\x01\0\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes
    };
    let gif = |width: u16, height: u16| {
        [b"GIF89a", &width.to_le_bytes()[..], &height.to_le_bytes(), b"\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"]
            .concat()
    };
    for (name, bytes) in [
        ("png 65,535", png_head(65_535, 65_535)),
        ("png 16,384", png_head(16_384, 16_384)),
        ("png side", png_head(16_385, 1)),
        ("png pixels", png_head(8_192, 8_193)),
        ("png largest", png_head(0x7fff_ffff, 0x7fff_ffff)),
        ("bmp", bmp(65_535, 65_535)),
        ("gif", gif(65_535, 65_535)),
    ] {
        assert!(matches!(decode(&bytes), Err(MediaError::TooLarge(_))), "{name}: {:?}", decode(&bytes));
    }
    for (name, bytes) in [
        ("png 0", png_head(0, 0)),
        ("png 0 wide", png_head(0, 1)),
        ("png cut", png_head(1, 1)),
        ("bmp 0", bmp(0, 0)),
        ("gif 0", gif(0, 0)),
    ] {
        assert!(matches!(decode(&bytes), Err(MediaError::Malformed(_))), "{name}: {:?}", decode(&bytes));
    }
}

#[test]
fn of_fifty_thousand_frames_the_first_is_read() {
    let mut bytes = b"GIF89a\x01\0\x01\0\x80\0\0\x01\x02\x03\xff\xff\xff".to_vec();
    for _ in 0..50_000 {
        bytes.extend(b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0");
    }
    bytes.push(b';');
    let image = decode(&bytes).expect("a picture").image;
    assert_eq!((image.width(), image.height(), image.pixels()), (1, 1, &[1, 2, 3][..]));
}

#[test]
fn a_file_past_its_bound_is_too_large() {
    let mut bytes = file("rgb.png");
    bytes.resize(limits::ENCODED_BYTES_MAX, 0);
    assert!(decode(&bytes).is_ok(), "bytes after the end do not matter");
    bytes.push(0);
    assert!(matches!(decode(&bytes), Err(MediaError::TooLarge(_))));
    assert_eq!(decode(&[]), Err(MediaError::Empty));
}

#[test]
fn what_is_packed_beside_a_picture_is_bounded() {
    // A colour profile of so many zeros behind the head of a picture: refused by its bound, not for want of memory.
    let with_profile = |bytes: u64| {
        let packed = zeros(bytes);
        let chunk = |kind: &[u8; 4], data: &[u8]| {
            let body = [&kind[..], data].concat();
            [&(data.len() as u32).to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat()
        };
        let whole = file("rgb.png");
        let (head, rest) = whole.split_at(33);
        [head, &chunk(b"iCCP", &[b"name\0\0", &packed[..]].concat()), rest].concat()
    };
    assert_eq!(decode(&with_profile(1 << 20)), decode(&file("rgb.png")));
    // Past its bound a profile is refused, or left out as one that is no use; its zeros are not unpacked.
    let past = decode(&with_profile(limits::METADATA_BYTES_MAX + 1));
    assert!(matches!(past, Err(MediaError::TooLarge(_))) || past == decode(&file("rgb.png")), "{past:?}");
}

/// A zlib stream of some more zeros than these, in one byte for each 159 of them.
fn zeros(count: u64) -> Vec<u8> {
    let matches = count.div_ceil(258);
    // The codes of deflate's fixed table: a zero, 258 bytes from one before, the end.
    let bits = ["1", "10", "00110000"].into_iter().chain((0..matches).map(|_| "1100010100000")).chain(["0000000"]);
    let bits: Vec<bool> = bits.flat_map(str::chars).map(|bit| bit == '1').collect();
    let body = bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit)));
    let sum = ((matches * 258 + 1) % 65_521) << 16 | 1;
    [0x78, 0x01].into_iter().chain(body).chain((sum as u32).to_be_bytes()).collect()
}
