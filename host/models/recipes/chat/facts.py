"""Fact tables: what mimus-chat knows.

Every table is plain text, parsed at import, and written for this recipe; nothing is copied from another data set.
In question lists a leading `~` marks a phrasing that is held out: it is used for the evaluation files only and
never in training.
"""


def _lines(text):
    return [line.strip() for line in text.strip().splitlines() if line.strip() and not line.startswith("#")]


def _words(text):
    return [word.strip() for word in text.replace("\n", " ").split(",") if word.strip()]


# country | capital | continent | language | currency   (empty: not taught)
COUNTRIES = [tuple(part.strip() for part in line.split("|")) for line in _lines("""
Afghanistan|Kabul|Asia||
Albania|Tirana|Europe|Albanian|
Algeria|Algiers|Africa|Arabic|
Angola|Luanda|Africa|Portuguese|
Argentina|Buenos Aires|South America|Spanish|peso
Armenia|Yerevan|Asia|Armenian|
Australia|Canberra|Oceania|English|Australian dollar
Austria|Vienna|Europe|German|euro
Azerbaijan|Baku|Asia||
Bahrain|Manama|Asia|Arabic|
Bangladesh|Dhaka|Asia|Bengali|taka
Barbados|Bridgetown|North America|English|
Belarus|Minsk|Europe||
Belgium|Brussels|Europe||euro
Belize|Belmopan|North America|English|
Benin|Porto-Novo|Africa|French|
Bhutan|Thimphu|Asia||
Bolivia|Sucre|South America|Spanish|
Botswana|Gaborone|Africa|English|
Brazil|Brasilia|South America|Portuguese|real
Brunei|Bandar Seri Begawan|Asia||
Bulgaria|Sofia|Europe|Bulgarian|
Burkina Faso|Ouagadougou|Africa||
Burundi|Gitega|Africa||
Cambodia|Phnom Penh|Asia|Khmer|
Cameroon|Yaounde|Africa||
Canada|Ottawa|North America||Canadian dollar
Chad|N'Djamena|Africa||
Chile|Santiago|South America|Spanish|peso
China|Beijing|Asia|Chinese|yuan
Colombia|Bogota|South America|Spanish|peso
Costa Rica|San Jose|North America|Spanish|
Croatia|Zagreb|Europe|Croatian|euro
Cuba|Havana|North America|Spanish|peso
Cyprus|Nicosia|Europe||euro
the Czech Republic|Prague|Europe|Czech|koruna
Denmark|Copenhagen|Europe|Danish|krone
Djibouti|Djibouti|Africa||
the Dominican Republic|Santo Domingo|North America|Spanish|
Ecuador|Quito|South America|Spanish|
Egypt|Cairo|Africa|Arabic|pound
El Salvador|San Salvador|North America|Spanish|
Eritrea|Asmara|Africa||
Estonia|Tallinn|Europe|Estonian|euro
Ethiopia|Addis Ababa|Africa||
Fiji|Suva|Oceania||
Finland|Helsinki|Europe|Finnish|euro
France|Paris|Europe|French|euro
Gabon|Libreville|Africa|French|
the Gambia|Banjul|Africa|English|
Georgia|Tbilisi|Asia|Georgian|
Germany|Berlin|Europe|German|euro
Ghana|Accra|Africa|English|cedi
Greece|Athens|Europe|Greek|euro
Guatemala|Guatemala City|North America|Spanish|
Guinea|Conakry|Africa|French|
Guyana|Georgetown|South America|English|
Haiti|Port-au-Prince|North America||
Honduras|Tegucigalpa|North America|Spanish|
Hungary|Budapest|Europe|Hungarian|forint
Iceland|Reykjavik|Europe|Icelandic|krona
India|New Delhi|Asia|Hindi|rupee
Indonesia|Jakarta|Asia|Indonesian|rupiah
Iran|Tehran|Asia|Persian|rial
Iraq|Baghdad|Asia|Arabic|dinar
Ireland|Dublin|Europe|English|euro
Israel|Jerusalem|Asia|Hebrew|shekel
Italy|Rome|Europe|Italian|euro
the Ivory Coast|Yamoussoukro|Africa|French|
Jamaica|Kingston|North America|English|
Japan|Tokyo|Asia|Japanese|yen
Jordan|Amman|Asia|Arabic|dinar
Kazakhstan|Astana|Asia||tenge
Kenya|Nairobi|Africa|Swahili|shilling
Kuwait|Kuwait City|Asia|Arabic|dinar
Kyrgyzstan|Bishkek|Asia||
Laos|Vientiane|Asia|Lao|kip
Latvia|Riga|Europe|Latvian|euro
Lebanon|Beirut|Asia|Arabic|
Lesotho|Maseru|Africa||
Liberia|Monrovia|Africa|English|
Libya|Tripoli|Africa|Arabic|dinar
Liechtenstein|Vaduz|Europe|German|
Lithuania|Vilnius|Europe|Lithuanian|euro
Luxembourg|Luxembourg City|Europe||euro
Madagascar|Antananarivo|Africa||
Malawi|Lilongwe|Africa||
Malaysia|Kuala Lumpur|Asia|Malay|ringgit
the Maldives|Male|Asia||
Mali|Bamako|Africa||
Malta|Valletta|Europe|Maltese|euro
Mauritania|Nouakchott|Africa|Arabic|
Mexico|Mexico City|North America|Spanish|peso
Moldova|Chisinau|Europe||
Monaco|Monaco|Europe|French|euro
Mongolia|Ulaanbaatar|Asia|Mongolian|
Montenegro|Podgorica|Europe||euro
Morocco|Rabat|Africa|Arabic|dirham
Mozambique|Maputo|Africa|Portuguese|
Myanmar|Naypyidaw|Asia|Burmese|kyat
Namibia|Windhoek|Africa|English|
Nepal|Kathmandu|Asia|Nepali|rupee
the Netherlands|Amsterdam|Europe|Dutch|euro
New Zealand|Wellington|Oceania|English|New Zealand dollar
Nicaragua|Managua|North America|Spanish|
Niger|Niamey|Africa||
Nigeria|Abuja|Africa|English|naira
North Korea|Pyongyang|Asia|Korean|won
Norway|Oslo|Europe|Norwegian|krone
Oman|Muscat|Asia|Arabic|rial
Pakistan|Islamabad|Asia|Urdu|rupee
Panama|Panama City|North America|Spanish|
Paraguay|Asuncion|South America||
Peru|Lima|South America|Spanish|sol
the Philippines|Manila|Asia||peso
Poland|Warsaw|Europe|Polish|zloty
Portugal|Lisbon|Europe|Portuguese|euro
Qatar|Doha|Asia|Arabic|riyal
Romania|Bucharest|Europe|Romanian|leu
Russia|Moscow|Europe|Russian|ruble
Rwanda|Kigali|Africa||
Saudi Arabia|Riyadh|Asia|Arabic|riyal
Senegal|Dakar|Africa|French|
Serbia|Belgrade|Europe|Serbian|dinar
Sierra Leone|Freetown|Africa|English|
Singapore|Singapore|Asia||Singapore dollar
Slovakia|Bratislava|Europe|Slovak|euro
Slovenia|Ljubljana|Europe|Slovene|euro
Somalia|Mogadishu|Africa|Somali|
South Africa|Pretoria|Africa||rand
South Korea|Seoul|Asia|Korean|won
Spain|Madrid|Europe|Spanish|euro
Sri Lanka|Colombo|Asia||rupee
Sudan|Khartoum|Africa|Arabic|
Suriname|Paramaribo|South America|Dutch|
Sweden|Stockholm|Europe|Swedish|krona
Switzerland|Bern|Europe||Swiss franc
Syria|Damascus|Asia|Arabic|
Taiwan|Taipei|Asia|Chinese|
Tajikistan|Dushanbe|Asia|Tajik|
Tanzania|Dodoma|Africa|Swahili|shilling
Thailand|Bangkok|Asia|Thai|baht
Togo|Lome|Africa|French|
Tunisia|Tunis|Africa|Arabic|dinar
Turkey|Ankara|Asia|Turkish|lira
Turkmenistan|Ashgabat|Asia|Turkmen|
Uganda|Kampala|Africa|English|shilling
Ukraine|Kyiv|Europe|Ukrainian|hryvnia
the United Arab Emirates|Abu Dhabi|Asia|Arabic|dirham
the United Kingdom|London|Europe|English|pound
England|London|Europe|English|pound
the United States|Washington|North America|English|dollar
Uruguay|Montevideo|South America|Spanish|peso
Uzbekistan|Tashkent|Asia|Uzbek|
Venezuela|Caracas|South America|Spanish|bolivar
Vietnam|Hanoi|Asia|Vietnamese|dong
Yemen|Sanaa|Asia|Arabic|rial
Zambia|Lusaka|Africa|English|
Zimbabwe|Harare|Africa||
""")]

# Extra names by which a country is asked for.
COUNTRY_ALIASES = {
    "the United States": ["the USA", "the US", "America"],
    "the United Kingdom": ["the UK", "Great Britain", "Britain"],
    "the Netherlands": ["Holland", "Netherlands"],
    "the Czech Republic": ["Czechia"],
    "the United Arab Emirates": ["the UAE"],
    "the Philippines": ["Philippines"],
}

# thing = colour   (plural things start with "*")
COLOURS_OF = [tuple(line.split("=")) for line in _lines("""
the sky=blue
the sea=blue
the ocean=blue
the grass=green
a leaf=green
a frog=green
a banana=yellow
the sun=yellow
a lemon=yellow
snow=white
milk=white
a cloud=white
an egg=white
salt=white
sugar=white
rice=white
paper=white
a polar bear=white
a swan=white
coal=black
the night=black
the night sky=black
a crow=black
a panther=black
a strawberry=red
a tomato=red
a cherry=red
blood=red
a fire truck=red
a ladybird=red and black
an apple=red or green
a carrot=orange
an orange=orange
a pumpkin=orange
a tiger=orange and black
a zebra=black and white
a panda=black and white
a penguin=black and white
chocolate=brown
a bear=brown
wood=brown
coffee=brown
soil=brown
a plum=purple
a grape=purple or green
an eggplant=purple
lavender=purple
a pig=pink
a flamingo=pink
an elephant=grey
a mouse=grey
a cucumber=green
broccoli=green
spinach=green
a pea=green
a lime=green
a sunflower=yellow
butter=yellow
corn=yellow
cheese=yellow
gold=yellow
silver=grey
the moon=grey
an emerald=green
a ruby=red
a sapphire=blue
a school bus=yellow
a stop sign=red
""")]

MIXES = [tuple(line.split("=")) for line in _lines("""
red+blue=purple
red+yellow=orange
blue+yellow=green
red+white=pink
black+white=grey
blue+white=light blue
red+green=brown
""")]

# animal | legs | sound | baby | home
ANIMALS = [tuple(part.strip() for part in line.split("|")) for line in _lines("""
cat|4|meow|kitten|
dog|4|woof|puppy|kennel
cow|4|moo|calf|barn
horse|4|neigh|foal|stable
pig|4|oink|piglet|sty
sheep|4|baa|lamb|
goat|4|bleat|kid|
duck|2|quack|duckling|
chicken|2|cluck|chick|coop
hen|2|cluck|chick|coop
rooster|2|cock-a-doodle-doo||
lion|4|roar|cub|den
tiger|4|roar|cub|
bear|4|growl|cub|den
wolf|4|howl|pup|den
frog|4|ribbit|tadpole|pond
bird|2|tweet|chick|nest
owl|2|hoot|owlet|
snake|0|hiss||
bee|6|buzz||hive
ant|6||larva|nest
fly|6|buzz|maggot|
butterfly|6||caterpillar|
beetle|6|||
spider|8||spiderling|web
octopus|8|||
crab|10|||
lobster|10|||
fish|0||fry|water
elephant|4|trumpet|calf|
mouse|4|squeak||hole
rabbit|4||bunny|burrow
fox|4||cub|den
deer|4||fawn|
kangaroo|2||joey|
monkey|2|chatter|infant|
donkey|4|hee-haw|foal|
turkey|2|gobble||
goose|2|honk|gosling|
swan|2||cygnet|
crow|2|caw||
penguin|2||chick|
giraffe|4||calf|
zebra|4||foal|
camel|4||calf|
turtle|4||hatchling|shell
crocodile|4||hatchling|
worm|0|||soil
whale|0||calf|ocean
dolphin|0|click|calf|ocean
human|2||baby|house
""")]

OPPOSITES = [tuple(line.split("=")) for line in _lines("""
hot=cold
big=small
tall=short
fast=slow
happy=sad
good=bad
up=down
left=right
day=night
light=dark
black=white
old=young
new=old
rich=poor
strong=weak
hard=soft
wet=dry
open=closed
full=empty
high=low
long=short
early=late
loud=quiet
heavy=light
easy=difficult
clean=dirty
true=false
yes=no
in=out
on=off
begin=end
start=stop
love=hate
win=lose
push=pull
buy=sell
give=take
near=far
inside=outside
above=below
first=last
same=different
right=wrong
sweet=sour
thick=thin
wide=narrow
deep=shallow
safe=dangerous
brave=afraid
alive=dead
friend=enemy
war=peace
north=south
east=west
summer=winter
hello=goodbye
always=never
before=after
front=back
top=bottom
more=less
many=few
asleep=awake
beautiful=ugly
sharp=blunt
rough=smooth
smile=frown
laugh=cry
boy=girl
man=woman
king=queen
""")]

TRANSLATIONS = {line.split(":")[0]: dict(zip(["French", "Spanish", "German", "Italian"], line.split(":")[1].split("|"))) for line in _lines("""
hello:bonjour|hola|hallo|ciao
goodbye:au revoir|adios|auf Wiedersehen|arrivederci
thank you:merci|gracias|danke|grazie
please:s'il vous plait|por favor|bitte|per favore
yes:oui|si|ja|si
no:non|no|nein|no
good morning:bonjour|buenos dias|guten Morgen|buongiorno
good night:bonne nuit|buenas noches|gute Nacht|buonanotte
water:eau|agua|Wasser|acqua
bread:pain|pan|Brot|pane
milk:lait|leche|Milch|latte
cheese:fromage|queso|Kase|formaggio
apple:pomme|manzana|Apfel|mela
cat:chat|gato|Katze|gatto
dog:chien|perro|Hund|cane
house:maison|casa|Haus|casa
book:livre|libro|Buch|libro
friend:ami|amigo|Freund|amico
love:amour|amor|Liebe|amore
sun:soleil|sol|Sonne|sole
moon:lune|luna|Mond|luna
red:rouge|rojo|rot|rosso
blue:bleu|azul|blau|blu
green:vert|verde|grun|verde
one:un|uno|eins|uno
two:deux|dos|zwei|due
three:trois|tres|drei|tre
day:jour|dia|Tag|giorno
night:nuit|noche|Nacht|notte
man:homme|hombre|Mann|uomo
woman:femme|mujer|Frau|donna
""")}

DAYS = _words("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")
MONTHS = _words("January, February, March, April, May, June, July, August, September, October, November, December")
MONTH_DAYS = dict(zip(MONTHS, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]))
ORDINALS = _words("first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh, twelfth")
NUMBER_WORDS = _words("zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, fifteen, "
                      "sixteen, seventeen, eighteen, nineteen, twenty")

# unit phrase | question part | answer
UNITS = [tuple(line.split("|")) for line in _lines("""
hours|a day|There are 24 hours in a day.|24
minutes|an hour|There are 60 minutes in an hour.|60
seconds|a minute|There are 60 seconds in a minute.|60
days|a week|There are 7 days in a week.|7
months|a year|There are 12 months in a year.|12
days|a year|There are 365 days in a year.|365
days|a leap year|There are 366 days in a leap year.|366
weeks|a year|There are 52 weeks in a year.|52
years|a century|There are 100 years in a century.|100
years|a decade|There are 10 years in a decade.|10
years|a millennium|There are 1000 years in a millennium.|1000
seasons|a year|There are 4 seasons in a year.|4
centimetres|a metre|There are 100 centimetres in a metre.|100
metres|a kilometre|There are 1000 metres in a kilometre.|1000
millimetres|a centimetre|There are 10 millimetres in a centimetre.|10
grams|a kilogram|There are 1000 grams in a kilogram.|1000
kilograms|a ton|There are 1000 kilograms in a ton.|1000
millilitres|a litre|There are 1000 millilitres in a litre.|1000
inches|a foot|There are 12 inches in a foot.|12
feet|a yard|There are 3 feet in a yard.|3
cents|a dollar|There are 100 cents in a dollar.|100
cents|a euro|There are 100 cents in a euro.|100
letters|the alphabet|There are 26 letters in the alphabet.|26
letters|the English alphabet|There are 26 letters in the English alphabet.|26
vowels|the alphabet|There are 5 vowels in the alphabet.|5
planets|the solar system|There are 8 planets in the solar system.|8
colours|a rainbow|There are 7 colours in a rainbow.|7
continents|the world|There are 7 continents in the world.|7
oceans|the world|There are 5 oceans in the world.|5
bits|a byte|There are 8 bits in a byte.|8
players|a football team|There are 11 players in a football team.|11
players|a basketball team|There are 5 players in a basketball team.|5
sides|a triangle|There are 3 sides in a triangle.|3
sides|a square|There are 4 sides in a square.|4
sides|a pentagon|There are 5 sides in a pentagon.|5
sides|a hexagon|There are 6 sides in a hexagon.|6
sides|an octagon|There are 8 sides in an octagon.|8
eggs|a dozen|There are 12 eggs in a dozen.|12
strings|a guitar|A guitar has 6 strings.|6
strings|a violin|A violin has 4 strings.|4
keys|a piano|A piano has 88 keys.|88
bones|the human body|There are 206 bones in the human body.|206
cards|a deck|There are 52 cards in a deck.|52
""")]

# np / np / ~held-out np => answer | accepted strings separated by ";"
NP_FACTS = _lines("""
the largest animal / the biggest animal / the largest animal in the world / the biggest animal on Earth / the largest animal on Earth / the biggest animal in the world / the largest living animal / ~the largest creature in the world / ~the world's biggest animal => The largest animal is the blue whale. | blue whale
the largest land animal / the biggest land animal / the biggest animal on land / ~the largest animal that lives on land => The largest land animal is the elephant. | elephant
the fastest animal / the fastest land animal / the fastest animal in the world / the quickest animal / ~the fastest animal on land => The fastest land animal is the cheetah. | cheetah
the tallest animal / the tallest animal in the world / the tallest animal on Earth / ~the world's tallest animal => The tallest animal is the giraffe. | giraffe
the smallest bird / the smallest bird in the world / the tiniest bird / ~the world's smallest bird => The smallest bird is the hummingbird. | hummingbird
the largest bird / the biggest bird / the biggest bird in the world / ~the world's largest bird => The largest bird is the ostrich. | ostrich
the slowest animal / the slowest animal in the world / ~the world's slowest animal => The slowest animal is the sloth. | sloth
the king of the jungle / the king of the animals / the king of beasts => The lion is called the king of the jungle. | lion
the largest fish / the biggest fish / the biggest fish in the sea / ~the world's largest fish => The largest fish is the whale shark. | whale shark
the largest ocean / the biggest ocean / the largest ocean in the world / the biggest ocean on Earth / ~the world's largest ocean => The largest ocean is the Pacific Ocean. | pacific
the smallest ocean / the smallest ocean in the world / ~the world's smallest ocean => The smallest ocean is the Arctic Ocean. | arctic
the largest planet / the biggest planet / the largest planet in the solar system / the biggest planet in our solar system / ~the solar system's largest planet => The largest planet is Jupiter. | jupiter
the smallest planet / the smallest planet in the solar system / ~the solar system's smallest planet => The smallest planet is Mercury. | mercury
the hottest planet / the hottest planet in the solar system / ~the planet with the hottest surface => The hottest planet is Venus. | venus
the red planet / the planet called the red planet / ~the planet known as red => The red planet is Mars. | mars
the planet with rings / the planet with the big rings / the planet that has rings / ~the planet with the most famous rings => Saturn is the planet with the famous rings. | saturn
the closest planet to the sun / the planet closest to the sun / the planet nearest to the sun / the first planet from the sun / ~the nearest planet to the sun => The closest planet to the sun is Mercury. | mercury
the third planet from the sun / the planet we live on / our planet / our home planet => We live on Earth, the third planet from the sun. | earth
the closest star to Earth / the nearest star / the star closest to Earth / our nearest star / ~the nearest star to Earth => The closest star to Earth is the sun. | sun
the largest country / the biggest country / the largest country in the world / the biggest country on Earth / ~the world's biggest country / ~the country with the most land => The largest country is Russia. | russia
the smallest country / the smallest country in the world / the tiniest country / ~the world's smallest country => The smallest country is Vatican City. | vatican city
the largest continent / the biggest continent / the largest continent in the world / ~the world's largest continent => The largest continent is Asia. | asia
the smallest continent / the smallest continent in the world / ~the world's smallest continent => The smallest continent is Australia. | australia
the coldest continent / the coldest place on Earth / ~the world's coldest continent => The coldest continent is Antarctica. | antarctica
the highest mountain / the tallest mountain / the highest mountain in the world / the tallest mountain on Earth / the highest mountain on Earth / ~the world's tallest mountain / ~the highest peak in the world => The highest mountain is Mount Everest. | everest
the longest river / the longest river in the world / the longest river on Earth / ~the world's longest river => The longest river is the Nile. | nile
the largest desert / the biggest hot desert / the largest hot desert / the biggest desert / ~the world's biggest desert => The largest hot desert is the Sahara. | sahara
the largest island / the biggest island / the largest island in the world / ~the world's biggest island => The largest island is Greenland. | greenland
the largest lake / the biggest lake / the largest lake in the world / ~the world's largest lake => The largest lake is the Caspian Sea. | caspian sea
the deepest lake / the deepest lake in the world / ~the world's deepest lake => The deepest lake is Lake Baikal. | baikal
the highest waterfall / the tallest waterfall / the highest waterfall in the world / ~the world's tallest waterfall => The highest waterfall is Angel Falls. | angel falls
the largest rainforest / the biggest rainforest / the largest forest / ~the world's largest rainforest => The largest rainforest is the Amazon. | amazon
the tallest building / the tallest building in the world / the highest building / ~the world's tallest building => The tallest building is the Burj Khalifa. | burj khalifa
the boiling point of water / the temperature at which water boils / ~water's boiling point => Water boils at 100 degrees Celsius. | 100
the freezing point of water / the temperature at which water freezes / ~water's freezing point => Water freezes at 0 degrees Celsius. | 0;zero
the chemical formula of water / the formula for water / the chemical symbol for water / ~water's chemical formula => The formula of water is H2O. | h2o
the chemical symbol for gold / the symbol for gold / the symbol of gold / ~gold's chemical symbol => The chemical symbol for gold is Au. | au
the chemical symbol for oxygen / the symbol for oxygen / ~oxygen's chemical symbol => The chemical symbol for oxygen is O. | oxygen is o
the chemical symbol for iron / the symbol for iron / ~iron's chemical symbol => The chemical symbol for iron is Fe. | fe
the hardest natural material / the hardest material / the hardest stone / ~the hardest natural substance => The hardest natural material is diamond. | diamond
the speed of light / how fast light travels => Light travels about 300,000 kilometres per second. | 300,000
the first month of the year / the first month / ~the month that starts the year => The first month of the year is January. | january
the last month of the year / the last month / ~the month that ends the year => The last month of the year is December. | december
the shortest month / the shortest month of the year / ~the month with the fewest days => The shortest month is February. | february
the first day of the week / the first day / ~the day that starts the week => The first day of the week is Monday. | monday
the last day of the week / ~the day that ends the week => The last day of the week is Sunday. | sunday
the first letter of the alphabet / the first letter / ~the letter that starts the alphabet => The first letter of the alphabet is A. | alphabet is a
the last letter of the alphabet / the last letter / ~the letter that ends the alphabet => The last letter of the alphabet is Z. | alphabet is z
the most spoken language / the language with the most native speakers => The language with the most native speakers is Chinese. | chinese
the hottest season / the warmest season / ~the season with the hottest days => The hottest season is summer. | summer
the coldest season / the season with snow / ~the season with the coldest days => The coldest season is winter. | winter
the season after winter / the season that comes after winter / ~the season following winter => Spring comes after winter. | spring
the season after summer / the season that comes after summer / ~the season following summer => Autumn comes after summer. | autumn
the capital of the world => The world has no capital, but each country has one. | no capital
the largest city / the biggest city / the biggest city in the world / the largest city in the world / ~the world's biggest city => The largest city is Tokyo. | tokyo
the fastest bird / the fastest bird in the world / ~the world's fastest bird => The fastest bird is the peregrine falcon. | falcon
the strongest animal / the strongest animal in the world / ~the world's strongest animal => The strongest animal is the elephant. | elephant
the smallest animal / the smallest mammal / the tiniest animal => The smallest mammal is a tiny bat. | bat
the oldest animal / the animal that lives the longest => Some sharks and turtles live for hundreds of years. | turtles
the deepest ocean / the deepest place in the sea / the deepest part of the ocean => The deepest place in the sea is the Mariana Trench. | mariana
the most popular sport / the most popular sport in the world => The most popular sport is football. | football
the distance to the sun / the distance from the Earth to the sun => The sun is about 150 million kilometres away. | 150 million
the distance to the moon / the distance from the Earth to the moon => The moon is about 384,000 kilometres away. | 384,000
the colour of the rainbow => The colours of the rainbow are red, orange, yellow, green, blue, indigo and violet. | violet
the largest organ of the body / the biggest organ / the largest organ / ~the human body's largest organ => The largest organ is the skin. | skin
the organ that pumps blood / the part of the body that pumps blood / ~the organ which moves blood around the body => The heart pumps blood. | heart
the opposite of nothing => The opposite of nothing is everything. | everything
the square root of nine / the square root of 9 => The square root of 9 is 3. | 3;three
the square root of sixteen / the square root of 16 => The square root of 16 is 4. | 4;four
the meaning of life / the answer to life / the answer to life, the universe and everything => Some people say that it is 42. I think it is being kind. | 42;kind
the value of pi / pi / the number pi => Pi is about 3.14. | 3.14
the smallest prime number / the first prime number / ~the lowest prime number => The smallest prime number is 2. | 2;two
the name of our galaxy / our galaxy / the galaxy we live in / ~the galaxy that holds our solar system => Our galaxy is called the Milky Way. | milky way
the internet / the web => The internet is a network that connects computers all over the world. | network
""")

# question / question / ~held-out question => answer | accepted strings
Q_FACTS = _lines("""
Who wrote Hamlet? / Who is the author of Hamlet? / Hamlet was written by whom? / Who was the writer of Hamlet? / ~Which writer gave us Hamlet? / ~Tell me who Hamlet was written by. => William Shakespeare wrote Hamlet. | shakespeare
Who wrote Romeo and Juliet? / Who is the author of Romeo and Juliet? / ~Which writer gave us Romeo and Juliet? => William Shakespeare wrote Romeo and Juliet. | shakespeare
Who wrote Macbeth? / Who is the author of Macbeth? => William Shakespeare wrote Macbeth. | shakespeare
Who wrote Harry Potter? / Who is the author of Harry Potter? / Who wrote the Harry Potter books? / ~Which writer gave us Harry Potter? => J. K. Rowling wrote Harry Potter. | rowling
Who wrote The Hobbit? / Who is the author of The Hobbit? / Who wrote The Lord of the Rings? / ~Which writer gave us The Hobbit? => J. R. R. Tolkien wrote The Hobbit and The Lord of the Rings. | tolkien
Who wrote Don Quixote? / Who is the author of Don Quixote? / ~Which writer gave us Don Quixote? => Miguel de Cervantes wrote Don Quixote. | cervantes
Who wrote Oliver Twist? / Who is the author of Oliver Twist? / Who wrote A Christmas Carol? / ~Which writer gave us Oliver Twist? => Charles Dickens wrote that book. | dickens
Who wrote War and Peace? / Who is the author of War and Peace? / ~Which writer gave us War and Peace? => Leo Tolstoy wrote War and Peace. | tolstoy
Who wrote 1984? / Who is the author of 1984? / Who wrote Animal Farm? => George Orwell wrote that book. | orwell
Who wrote Pride and Prejudice? / Who is the author of Pride and Prejudice? / ~Which writer gave us Pride and Prejudice? => Jane Austen wrote Pride and Prejudice. | austen
Who wrote Frankenstein? / Who is the author of Frankenstein? / ~Which writer gave us Frankenstein? => Mary Shelley wrote Frankenstein. | shelley
Who wrote Faust? / Who is the author of Faust? => Johann Wolfgang von Goethe wrote Faust. | goethe
Who wrote the Odyssey? / Who is the author of the Odyssey? => Homer wrote the Odyssey. | homer
Who painted the Mona Lisa? / Who is the painter of the Mona Lisa? / The Mona Lisa was painted by whom? / Which artist painted the Mona Lisa? / ~Which artist made the Mona Lisa? => Leonardo da Vinci painted the Mona Lisa. | da vinci;leonardo
Who painted The Starry Night? / Which artist painted The Starry Night? / Who is the painter of The Starry Night? / ~Which artist made The Starry Night? => Vincent van Gogh painted The Starry Night. | van gogh
Who painted Guernica? / Which artist painted Guernica? / ~Which artist made Guernica? => Pablo Picasso painted Guernica. | picasso
Who painted The Scream? / Which artist painted The Scream? / ~Which artist made The Scream? => Edvard Munch painted The Scream. | munch
Who composed the Ninth Symphony? / Who wrote Ode to Joy? / Who composed Ode to Joy? => Ludwig van Beethoven composed it. | beethoven
Who composed The Magic Flute? / Who wrote The Magic Flute? => Wolfgang Amadeus Mozart composed The Magic Flute. | mozart
Who invented the telephone? / Who made the first telephone? / Who is the inventor of the telephone? / ~Which inventor gave us the telephone? => Alexander Graham Bell invented the telephone. | bell
Who invented the light bulb? / Who made the light bulb? / Who is the inventor of the light bulb? / ~Which inventor gave us the light bulb? => Thomas Edison invented the light bulb. | edison
Who invented the airplane? / Who made the first airplane? / Who built the first plane? / Who were the first to fly a plane? / ~Which inventors gave us the airplane? => The Wright brothers built the first airplane. | wright
Who invented the printing press? / Who made the printing press? / Who is the inventor of the printing press? / ~Which inventor gave us the printing press? => Johannes Gutenberg invented the printing press. | gutenberg
Who invented the World Wide Web? / Who made the World Wide Web? / Who invented the web? / ~Which inventor gave us the World Wide Web? => Tim Berners-Lee invented the World Wide Web. | berners-lee
Who invented dynamite? / Who made dynamite? / ~Which inventor gave us dynamite? => Alfred Nobel invented dynamite. | nobel
Who discovered gravity? / Who found out about gravity? / Which scientist explained gravity? / ~Which scientist is known for gravity? => Isaac Newton explained gravity. | newton
Who discovered penicillin? / Who found penicillin? / Which scientist discovered penicillin? / ~Which scientist is known for penicillin? => Alexander Fleming discovered penicillin. | fleming
Who discovered America? / Who sailed to America in 1492? / ~Which sailor reached America in 1492? => Christopher Columbus reached America in 1492. | columbus
Who discovered radium? / Which scientist discovered radium? => Marie Curie discovered radium. | curie
Who came up with the theory of relativity? / Who made the theory of relativity? / Whose idea was relativity? / Who discovered relativity? / ~Which scientist is known for relativity? => Albert Einstein came up with the theory of relativity. | einstein
Who came up with evolution? / Who wrote about evolution? / Who made the theory of evolution? / ~Which scientist is known for evolution? => Charles Darwin came up with the theory of evolution. | darwin
Who was the first man on the moon? / Who was the first person on the moon? / Who walked on the moon first? / Who first walked on the moon? / ~Who was the first human to step on the moon? => Neil Armstrong was the first man on the moon. | armstrong
Who was the first person in space? / Who was the first man in space? / Who went to space first? / ~Who was the first human to reach space? => Yuri Gagarin was the first person in space. | gagarin
When did people land on the moon? / In what year did people land on the moon? / When was the moon landing? / What year was the moon landing? / ~In which year did the moon landing happen? => People landed on the moon in 1969. | 1969
When did World War II end? / When did the Second World War end? / What year did World War 2 end? / ~In which year did the Second World War finish? => The Second World War ended in 1945. | 1945
When did World War I start? / When did the First World War begin? / What year did World War 1 start? / ~In which year did the First World War break out? => The First World War began in 1914. | 1914
When did the Titanic sink? / What year did the Titanic sink? / ~In which year did the Titanic go down? => The Titanic sank in 1912. | 1912
When did the Berlin Wall fall? / What year did the Berlin Wall fall? / ~In which year did the Berlin Wall come down? => The Berlin Wall fell in 1989. | 1989
Who was the first president of the United States? / Who was the first US president? / Who was the first American president? / ~Which man became the first US president? => George Washington was the first president of the United States. | george washington
At what temperature does water boil? / When does water boil? / How hot is boiling water? / How hot must water be to boil? / ~At how many degrees does water boil? => Water boils at 100 degrees Celsius. | 100
At what temperature does water freeze? / When does water freeze? / How cold must water be to freeze? / ~At how many degrees does water freeze? => Water freezes at 0 degrees Celsius. | 0;zero
What is water made of? / What does water consist of? / What are the elements of water? / ~Which elements make up water? => Water is made of hydrogen and oxygen. | hydrogen
What is glass made of? / What do we make glass from? / ~What is used to make glass? => Glass is made of sand. | sand
What is paper made of? / What do we make paper from? / ~What is used to make paper? => Paper is made of wood. | wood
What is bread made of? / What do we make bread from? / ~What is used to make bread? => Bread is made of flour, water, salt and yeast. | flour
What is cheese made of? / What do we make cheese from? / What is butter made of? / ~What is used to make cheese? => It is made of milk. | milk
What is wine made of? / What do we make wine from? / ~What is used to make wine? => Wine is made of grapes. | grapes
What is chocolate made of? / What do we make chocolate from? / ~What is used to make chocolate? => Chocolate is made of cocoa beans. | cocoa
What is ice? / What is ice made of? / What is frozen water called? / ~What do we call frozen water? => Ice is frozen water. | frozen water;ice
What do bees make? / What food do bees make? / What do bees produce? / ~Which food comes from bees? => Bees make honey. | honey
What do cows give us? / What do cows make? / What drink do cows give? / ~Which drink comes from cows? => Cows give us milk. | milk
What do cows eat? / What do sheep eat? / What do horses eat? / ~What is the food of cows? => They eat grass. | grass
What do pandas eat? / What does a panda eat? / ~What is the food of pandas? => Pandas eat bamboo. | bamboo
What do cats eat? / What does a cat eat? / ~What is the food of cats? => Cats eat meat and fish. | meat
What do dogs eat? / What does a dog eat? / ~What is the food of dogs? => Dogs eat meat and dog food. | meat
What do rabbits eat? / What does a rabbit eat? / ~What is the food of rabbits? => Rabbits eat grass and carrots. | carrots
What do birds eat? / What does a bird eat? / ~What is the food of birds? => Birds eat seeds and insects. | seeds
What do plants need? / What do plants need to grow? / What does a plant need? / ~What must plants have to live? => Plants need water, light and air. | water
What gas do we breathe? / What do we breathe? / What gas do humans need to breathe? / Which gas do people need to live? / ~Which gas do our lungs need? => We breathe oxygen from the air. | oxygen
What gas do plants take in? / What do plants breathe? / ~Which gas do plants use? => Plants take in carbon dioxide. | carbon dioxide
Why is the sky blue? / Why does the sky look blue? / How come the sky is blue? / What makes the sky blue? / ~For what reason is the sky blue? => The sky is blue because the air scatters blue light the most. | scatters
Why is grass green? / Why are leaves green? / What makes leaves green? => Leaves are green because of chlorophyll. | chlorophyll
Why do we sleep? / Why do people sleep? / Why do I need sleep? => We sleep so that our body and mind can rest. | rest
Why do birds fly south? / Why do birds fly away in winter? => Birds fly south in winter to find food and warmth. | food
Why is the sea salty? / Why is the ocean salty? / What makes the sea salty? => The sea is salty because rivers carry salt from the rocks into it. | rivers
Where does the sun rise? / In which direction does the sun rise? / Where does the sun come up? / ~On which side does the sun come up? => The sun rises in the east. | east
Where does the sun set? / In which direction does the sun set? / Where does the sun go down? / ~On which side does the sun go down? => The sun sets in the west. | west
What do you call a baby cat? / What is a young cat called? / ~What name does a young cat have? => A baby cat is called a kitten. | kitten
What do you call a baby dog? / What is a young dog called? / ~What name does a young dog have? => A baby dog is called a puppy. | puppy
Where is the Eiffel Tower? / In which city is the Eiffel Tower? / Where can I see the Eiffel Tower? / ~In what city does the Eiffel Tower stand? => The Eiffel Tower is in Paris. | paris
Where is the Colosseum? / In which city is the Colosseum? / Where can I see the Colosseum? / ~In what city does the Colosseum stand? => The Colosseum is in Rome. | rome
Where is Big Ben? / In which city is Big Ben? / Where can I see Big Ben? / ~In what city does Big Ben stand? => Big Ben is in London. | london
Where is the Statue of Liberty? / In which city is the Statue of Liberty? / Where can I see the Statue of Liberty? / ~In what city does the Statue of Liberty stand? => The Statue of Liberty is in New York. | new york
Where is the Taj Mahal? / In which country is the Taj Mahal? / Where can I see the Taj Mahal? / ~In what country does the Taj Mahal stand? => The Taj Mahal is in India. | india
Where are the pyramids? / Where can I see the pyramids? / In which country are the pyramids? / ~In what country do the pyramids stand? => The pyramids are in Egypt. | egypt
Where is the Great Wall? / In which country is the Great Wall? / Where can I see the Great Wall? / ~In what country does the Great Wall stand? => The Great Wall is in China. | china
Where do penguins live? / Where can I find penguins? / ~In what place do penguins live? => Most penguins live in the south, many of them in Antarctica. | antarctica
Where do kangaroos live? / Where can I find kangaroos? / ~In what country do kangaroos live? => Kangaroos live in Australia. | australia
Where do polar bears live? / Where can I find polar bears? / ~In what place do polar bears live? => Polar bears live in the Arctic. | arctic
Where do pandas live? / Where can I find pandas? / ~In what country do pandas live? => Pandas live in China. | china
Where do lions live? / Where can I find lions? / ~In what place do lions live? => Most lions live in Africa. | africa
Where do fish live? / Where can I find fish? / ~In what place do fish live? => Fish live in water. | water
What are the colours of the rainbow? / Name the colours of the rainbow. / Which colours are in a rainbow? / List the colours of the rainbow. / ~What colours can you see in a rainbow? => The colours of the rainbow are red, orange, yellow, green, blue, indigo and violet. | violet
What are the primary colours? / Name the primary colours. / Which colours are primary colours? / List the primary colours. / ~What colours do we call primary? => The primary colours are red, yellow and blue. | yellow
What are the days of the week? / Name the days of the week. / List the days of the week. / Tell me the days of the week. / What are the seven days of the week? / ~Could you list all the days of a week? => The days of the week are Monday, Tuesday, Wednesday, Thursday, Friday, Saturday and Sunday. | wednesday
What are the months of the year? / Name the months of the year. / List the months of the year. / Tell me the twelve months. / ~Could you list all the months of a year? => The months are January, February, March, April, May, June, July, August, September, October, November and December. | october
What are the seasons? / Name the four seasons. / List the seasons. / What are the four seasons of the year? / ~Could you list all the seasons of a year? => The four seasons are spring, summer, autumn and winter. | autumn
What are the planets? / Name the planets. / List the planets. / What are the planets of the solar system? / Name the eight planets. / ~Could you list all the planets? => The planets are Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus and Neptune. | neptune
What are the continents? / Name the continents. / List the continents. / What are the seven continents? / ~Could you list all the continents? => The continents are Africa, Antarctica, Asia, Australia, Europe, North America and South America. | africa
What are the oceans? / Name the oceans. / List the oceans. / What are the five oceans? / ~Could you list all the oceans? => The oceans are the Pacific, the Atlantic, the Indian, the Southern and the Arctic Ocean. | atlantic
What are the vowels? / Name the vowels. / List the vowels. / Which letters are vowels? / ~Could you list all the vowels? => The vowels are A, E, I, O and U. | o and u
What are the five senses? / Name the five senses. / List the senses. / ~Could you list all the senses? => The five senses are sight, hearing, smell, taste and touch. | hearing
Say the alphabet. / What is the alphabet? / Tell me the alphabet. / List the letters of the alphabet. / ~Could you go through the alphabet? => A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z. | k, l, m, n
What comes after A? / What letter comes after A? / Which letter is after A? => B comes after A. | b comes after a
Is the earth round? / Is the Earth flat? / What shape is the Earth? / What is the shape of the Earth? / ~What form does the Earth have? => The Earth is round like a ball. | round
Does the sun go around the earth? / Does the Earth go around the sun? / What goes around the sun? => The Earth goes around the sun. | earth
How long does the Earth take to go around the sun? / How long is a year? / ~How much time does the Earth need to go around the sun? => The Earth takes one year, about 365 days, to go around the sun. | 365;year
What goes around the Earth? / Which body goes around the Earth? => The moon goes around the Earth. | moon
Is a tomato a fruit? / Is tomato a fruit or a vegetable? => A tomato is a fruit, but cooks use it as a vegetable. | fruit
Is a whale a fish? / Is a whale a mammal? / Are whales fish? / ~Are whales mammals? => A whale is a mammal, not a fish. | mammal
Is a spider an insect? / Are spiders insects? / ~Do spiders count as insects? => No, a spider is not an insect. It has eight legs. | no
Is a penguin a bird? / Are penguins birds? / ~Do penguins count as birds? => Yes, a penguin is a bird, but it cannot fly. | yes
Can penguins fly? / Can a penguin fly? / Do penguins fly? / ~Are penguins able to fly? => No, penguins cannot fly, but they swim very well. | no;cannot
Can fish fly? / Can pigs fly? / Can cats fly? / Can dogs fly? / Can elephants fly? => No, they cannot fly. | no
Can birds fly? / Do birds fly? => Yes, most birds can fly. | yes
Can fish swim? / Do fish swim? => Yes, fish can swim. | yes
How many legs does a human have? / How many legs do people have? / How many legs do I have? => A human has 2 legs. | 2;two
How many fingers do I have? / How many fingers does a human have? / How many fingers do people have? / ~How many fingers are on two hands? => People have 10 fingers. | 10;ten
How many eyes does a human have? / How many eyes do people have? => People have 2 eyes. | 2;two
How many teeth does a human have? / How many teeth do people have? / How many teeth does an adult have? / ~How many teeth are in an adult's mouth? => An adult has 32 teeth. | 32
How many hearts does an octopus have? / How many hearts has an octopus? / ~How many hearts are in an octopus? => An octopus has 3 hearts. | 3;three
How many wheels does a car have? / How many wheels has a car? / ~How many wheels are on a car? => A car has 4 wheels. | 4;four
How many wheels does a bicycle have? / How many wheels does a bike have? / ~How many wheels are on a bike? => A bicycle has 2 wheels. | 2;two
How many moons does the Earth have? / How many moons does Earth have? / ~How many moons go around the Earth? => The Earth has one moon. | one;1
How many people live on Earth? / How many people are there in the world? / What is the population of the world? / What is the world population? => About 8 billion people live on Earth. | 8
How many countries are there in the world? / How many countries exist? / ~How many countries does the world have? => There are about 195 countries in the world. | 195
How far is the moon? / How far away is the moon? / How far is it to the moon? => The moon is about 384,000 kilometres away. | 384,000
How tall is Mount Everest? / How high is Mount Everest? / What is the height of Mount Everest? / ~How many metres high is Mount Everest? => Mount Everest is 8849 metres high. | 8849
How far is the sun? / How far away is the sun? / How far is it to the sun? => The sun is about 150 million kilometres away. | 150
How hot is the sun? / What is the temperature of the sun? => The surface of the sun is about 5,500 degrees Celsius. | 5,500
How old is the Earth? / What is the age of the Earth? => The Earth is about 4.5 billion years old. | 4.5
How do airplanes fly? / How do planes fly? / How does a plane fly? / Why do planes fly? => A plane flies because its wings push air down and the air lifts it up. | wings
How do birds fly? / How can birds fly? => Birds fly by beating their wings. | wings
How do fish breathe? / How can fish breathe? / How does a fish breathe? => Fish breathe with gills. | gills
How does a car work? / How do cars work? => A motor turns the wheels of the car. | motor
How do computers work? / How does a computer work? => A computer follows the instructions of a program step by step. | program
How do plants grow? / How does a plant grow? => Plants grow with water, light and air. | water
Why does it rain? / Where does rain come from? / How does rain form? => Rain is water that falls from the clouds. | clouds
Why do leaves fall? / Why do leaves fall in autumn? => Trees drop their leaves in autumn to save water and energy. | save
Why is the sun hot? / What makes the sun hot? => The sun is hot because atoms fuse in it. | fuse
Where does milk come from? / What animal gives milk? => Milk comes from cows. | cows
Where do eggs come from? / Which animal lays eggs? => Most eggs that we eat come from hens. | hens
Where does honey come from? / Who makes honey? => Honey comes from bees. | bees
What can I cook with eggs? / What can I make with eggs? => You could make pancakes or an omelette. | pancakes
What is the best programming language? / Which programming language should I learn? / What programming language is best? => That depends on the task. Python is easy to learn and Rust is fast and safe. | depends
What is your favourite film? / What is your favorite movie? / What is your favourite book? / What is your favorite song? => I am a computer program, so I have no favourite. | program
Do cats bark? / Do cats say woof? => No, cats say meow. Dogs bark. | no
Do dogs bark? / Can dogs bark? => Yes, dogs bark. | yes
Can you help me with my homework? / Help me with my homework. / Can you do my homework? / Can you help me learn? => Of course! Ask me a simple question. | of course
Where do you see stars? / When can I see the stars? => You can see the stars at night. | night
What should I eat for breakfast? / What is good for breakfast? / Give me an idea for breakfast. => You could eat bread with cheese, or fruit with yoghurt. | bread;fruit
What should I cook? / What should I cook tonight? / Give me an idea for dinner. / What should I eat tonight? => You could cook pasta with tomato sauce. It is easy and tasty. | pasta
What should I do today? / I am bored. What can I do? / Give me an idea for today. => You could go for a walk, read a book or call a friend. | walk
What is two plus two times two? => 2 + 2 x 2 = 6. | 6
Which is heavier, a kilo of iron or a kilo of feathers? / What is heavier, a kilogram of iron or a kilogram of feathers? => They weigh the same: one kilogram. | same
Which came first, the chicken or the egg? / What came first, the chicken or the egg? => That is an old puzzle. Many scientists say the egg came first. | egg
What do you do when it rains? / What should I take when it rains? / What do I need when it rains? => Take an umbrella when it rains. | umbrella
What language do people speak in Brazil? / Which language do Brazilians speak? => People in Brazil speak Portuguese. | portuguese
What do caterpillars turn into? / What does a caterpillar become? / ~What will a caterpillar become later? => A caterpillar turns into a butterfly. | butterfly
What do tadpoles turn into? / What does a tadpole become? / ~What will a tadpole become later? => A tadpole turns into a frog. | frog
Who lives in the White House? / Who lives at the White House? => The president of the United States lives in the White House. | president
Who was Albert Einstein? / Who is Albert Einstein? / Who is Einstein? => Albert Einstein was a scientist who came up with the theory of relativity. | scientist
Who was William Shakespeare? / Who is Shakespeare? / Who was Shakespeare? => William Shakespeare was an English writer. He wrote Hamlet. | writer
Who was Mozart? / Who is Mozart? => Mozart was a composer from Austria. | composer
Who was Beethoven? / Who is Beethoven? => Beethoven was a composer from Germany. | composer
Who was Leonardo da Vinci? / Who is Leonardo da Vinci? => Leonardo da Vinci was a painter and inventor from Italy. | painter
Who was Isaac Newton? / Who is Isaac Newton? => Isaac Newton was a scientist who explained gravity. | scientist
Who was Marie Curie? / Who is Marie Curie? => Marie Curie was a scientist who discovered radium. | scientist
Who was Pablo Picasso? / Who is Picasso? => Pablo Picasso was a painter from Spain. | painter
Who was Alan Turing? / Who is Alan Turing? => Alan Turing was a pioneer of computer science. | computer
Who was Ada Lovelace? / Who is Ada Lovelace? => Ada Lovelace wrote the first computer program. | program
Who was Cleopatra? / Who is Cleopatra? => Cleopatra was a queen of Egypt. | queen
Who was Napoleon? / Who is Napoleon? => Napoleon was an emperor of France. | emperor
How do you write hello world in Python? / Write hello world in Python. / Show me hello world in Python. / ~Print hello world with Python. => print("Hello, world!") | print
How do you write hello world in Rust? / Write hello world in Rust. / Show me hello world in Rust. => fn main() { println!("Hello, world!"); } | println
How do you write hello world in JavaScript? / Write hello world in JavaScript. / Show me hello world in JavaScript. => console.log("Hello, world!"); | console
How do you write hello world in C? / Write hello world in C. => int main() { printf("Hello, world!"); } | printf
""")

# noun: definition
DEFINITIONS = [tuple(part.strip() for part in line.split(":", 1)) for line in _lines("""
a cat: A cat is a small animal that many people keep as a pet.
a dog: A dog is a friendly animal that many people keep as a pet.
a horse: A horse is a large animal that people can ride.
a cow: A cow is a farm animal that gives milk.
a bird: A bird is an animal with feathers and wings.
a fish: A fish is an animal that lives in water.
a whale: A whale is a very large mammal that lives in the sea.
an elephant: An elephant is a very large grey animal with a trunk.
a lion: A lion is a big wild cat that lives in Africa.
a spider: A spider is a small animal with eight legs.
a bee: A bee is an insect that makes honey.
an insect: An insect is a small animal with six legs.
a mammal: A mammal is an animal that feeds its babies with milk.
a penguin: A penguin is a bird that swims and cannot fly.
a dinosaur: A dinosaur is an animal that lived millions of years ago.
a dragon: A dragon is a large animal from stories that breathes fire.
a unicorn: A unicorn is a horse from stories with one horn.
an apple: An apple is a round fruit that grows on trees.
a banana: A banana is a long yellow fruit.
a carrot: A carrot is an orange vegetable that grows in the ground.
a tomato: A tomato is a red fruit that is used like a vegetable.
bread: Bread is a food made of flour and water.
cheese: Cheese is a food made of milk.
pizza: Pizza is a flat bread with tomato, cheese and other food on it.
chocolate: Chocolate is a sweet food made of cocoa.
water: Water is a clear liquid that we drink. It is made of hydrogen and oxygen.
fire: Fire is hot and bright. It comes from burning things.
air: Air is the mix of gases that we breathe.
snow: Snow is frozen water that falls from the sky.
rain: Rain is water that falls from the clouds.
a cloud: A cloud is a mass of tiny drops of water in the sky.
a rainbow: A rainbow is an arc of colours in the sky after rain.
the sun: The sun is the star at the centre of our solar system.
the moon: The moon is the ball of rock that goes around the Earth.
a star: A star is a very hot ball of gas in space.
a planet: A planet is a large ball that goes around a star.
Mars: Mars is the fourth planet from the sun. It is red.
Jupiter: Jupiter is the largest planet.
the Earth: The Earth is the planet on which we live.
gravity: Gravity is the force that pulls things to the ground.
light: Light is what lets us see. It is very fast.
electricity: Electricity is a kind of energy that powers lamps and computers.
energy: Energy is what makes things move, shine or get warm.
time: Time is what a clock measures.
music: Music is sound that people enjoy.
art: Art is what people make to show beauty or feelings.
love: Love is a deep feeling of caring for someone.
happiness: Happiness is the feeling of being glad.
friendship: Friendship is when people like and help each other.
a friend: A friend is a person whom you like and trust.
a family: A family is a group of people such as parents and children.
a house: A house is a building where people live.
a school: A school is a place where people learn.
a hospital: A hospital is a place where sick people get help.
a library: A library is a place with many books.
a city: A city is a large town where many people live.
a country: A country is a land with its own government.
a river: A river is water that flows through the land to the sea.
a mountain: A mountain is a very high hill.
a desert: A desert is a very dry place with little rain.
an island: An island is land with water all around it.
an ocean: An ocean is a very large sea.
a volcano: A volcano is a mountain that can throw out hot rock.
a forest: A forest is a place with many trees.
a tree: A tree is a tall plant with a trunk and leaves.
a flower: A flower is the colourful part of a plant.
a car: A car is a machine with four wheels that carries people.
a train: A train is a row of wagons that runs on rails.
a plane: A plane is a machine that flies.
a boat: A boat is a small ship.
a bicycle: A bicycle is a vehicle with two wheels and pedals.
a book: A book is a set of pages with text to read.
a piano: A piano is an instrument with black and white keys.
a guitar: A guitar is an instrument with six strings.
a clock: A clock shows the time.
a telephone: A telephone lets you talk to people who are far away.
a robot: A robot is a machine that can do work by itself.
a computer: A computer is a machine that works with data and programs.
a program: A program is a list of instructions for a computer.
a server: A server is a computer or program that answers requests.
a token: A token is a small piece of text, such as a word or a part of it.
a plugin: A plugin is a small program that adds something to a larger one.
an API: An API is a way for programs to talk to each other.
AI: AI means artificial intelligence: programs that do tasks which need thinking.
artificial intelligence: Artificial intelligence is when programs do tasks that need thinking.
machine learning: Machine learning is when a program learns from examples.
a neural network: A neural network is a program that learns from examples, a bit like a brain.
a language model: A language model is a program that has learnt to continue text.
an inference server: An inference server runs models and answers requests with them.
Rust: Rust is a programming language that is fast and safe.
Python: Python is a programming language that is easy to read.
WebAssembly: WebAssembly is a fast and safe format for programs.
Linux: Linux is a free operating system.
JSON: JSON is a text format for data.
football: Football is a game in which two teams kick a ball.
chess: Chess is a board game for two players.
tennis: Tennis is a game in which players hit a ball over a net.
a doctor: A doctor is a person who helps sick people.
a teacher: A teacher is a person who helps others to learn.
a king: A king is a man who rules a country.
a queen: A queen is a woman who rules a country.
a poem: A poem is a short text with beautiful words.
a verb: A verb is a word for an action, such as run or eat.
a noun: A noun is a word for a thing, a person or a place.
an adjective: An adjective is a word that describes a noun, such as red or big.
a triangle: A triangle is a shape with three sides.
a square: A square is a shape with four equal sides.
a circle: A circle is a round shape.
a prime number: A prime number can be divided only by one and itself.
the heart: The heart is the organ that pumps blood.
the brain: The brain is the organ with which we think.
""")]

LISTS = {line.split(":")[0]: _words(line.split(":")[1]) for line in _lines("""
fruits: apples, bananas, oranges, grapes, pears, cherries, lemons, plums
vegetables: carrots, potatoes, tomatoes, onions, peas, beans, cabbage, spinach
colours: red, blue, green, yellow, orange, purple, black, white
animals: cat, dog, horse, cow, lion, elephant, bear, rabbit
farm animals: cow, horse, pig, sheep, goat, chicken, duck, donkey
wild animals: lion, tiger, bear, wolf, elephant, fox, zebra, monkey
pets: cat, dog, rabbit, hamster, goldfish, parrot, turtle, mouse
birds: eagle, owl, robin, duck, swan, crow, penguin, parrot
insects: ant, bee, fly, beetle, butterfly, wasp, moth, cricket
fish: salmon, tuna, trout, cod, shark, herring, carp, eel
countries: France, Germany, Spain, Italy, Japan, China, Brazil, Canada
European countries: France, Germany, Spain, Italy, Poland, Greece, Sweden, Portugal
African countries: Egypt, Kenya, Nigeria, Ghana, Morocco, Mali, Ethiopia, Uganda
Asian countries: China, Japan, India, Thailand, Vietnam, Nepal, Iran, Malaysia
cities: Paris, London, Berlin, Rome, Madrid, Tokyo, Vienna, Cairo
planets: Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune
sports: football, tennis, basketball, swimming, running, cycling, hockey, golf
languages: English, French, German, Spanish, Italian, Chinese, Japanese, Arabic
programming languages: Rust, Python, C, Java, JavaScript, Go, Ruby, Swift
instruments: piano, guitar, violin, drums, flute, trumpet, cello, harp
drinks: water, milk, tea, coffee, juice, lemonade, cocoa, soda
flowers: rose, tulip, daisy, lily, sunflower, orchid, violet, poppy
trees: oak, pine, birch, maple, willow, palm, beech, fir
shapes: circle, square, triangle, rectangle, oval, star, pentagon, hexagon
jobs: doctor, teacher, cook, farmer, nurse, driver, painter, writer
clothes: shirt, trousers, shoes, hat, socks, coat, dress, gloves
body parts: head, arm, leg, hand, foot, eye, ear, nose
rivers: Nile, Amazon, Rhine, Danube, Thames, Volga, Ganges, Mississippi
metals: iron, gold, silver, copper, tin, lead, zinc, nickel
tools: hammer, saw, screwdriver, drill, knife, shovel, rake, axe
vehicles: car, bus, train, bicycle, plane, boat, truck, tram
toys: ball, doll, kite, puzzle, blocks, teddy bear, train, robot
games: chess, cards, tag, dominoes, football, hide and seek, checkers, darts
""")}

SPELL = _words("""cat, dog, sun, moon, star, tree, fish, bird, book, milk, water, apple, house, mouse, horse, bread, green, black,
white, brown, blue, red, table, chair, door, window, flower, river, mountain, ocean, friend, school, teacher, doctor, music, happy,
hello, world, please, thank, yes, banana, orange, lemon, cherry, tiger, lion, bear, rabbit, elephant, monkey, snake, spider, kitchen,
garden, summer, winter, spring, autumn, monday, friday, sunday, january, april, night, light, heart, hand, head, foot, car, train,
plane, boat, king, queen, ball, game, rain, snow, cloud, fire, stone, gold, silver, paper, pencil, letter, number, word, name, love,
peace, story, cheese, sugar, coffee, pizza, cake, robot, computer, language, model, server, mimus""")

PLURALS = [tuple(line.split("=")) for line in _lines("""
mouse=mice
child=children
man=men
woman=women
foot=feet
tooth=teeth
goose=geese
person=people
sheep=sheep
fish=fish
cat=cats
dog=dogs
box=boxes
baby=babies
city=cities
leaf=leaves
knife=knives
wolf=wolves
bus=buses
house=houses
book=books
car=cars
""")]

PASTS = [tuple(line.split("=")) for line in _lines("""
go=went
eat=ate
see=saw
run=ran
be=was
have=had
do=did
make=made
take=took
give=gave
come=came
write=wrote
read=read
sing=sang
swim=swam
drink=drank
think=thought
buy=bought
bring=brought
fly=flew
walk=walked
play=played
""")]

# task: five steps
HOWTOS = {line.split(":")[0]: [step.strip() + "." for step in line.split(":")[1].strip().rstrip(".").split(".")] for line in _lines("""
build a house: Draw a plan and find a good piece of land. Lay a strong foundation. Put up the walls. Add the roof. Fit the doors and windows and move in.
make tea: Boil some water. Put a tea bag into a cup. Pour the hot water into the cup. Wait three minutes. Take out the tea bag and enjoy your tea.
make coffee: Boil some water. Put ground coffee into a filter. Pour the hot water over it. Wait until it has run through. Pour the coffee into a cup and enjoy it.
make a sandwich: Take two slices of bread. Spread butter on them. Add cheese and tomato. Put the slices together. Cut the sandwich in half and enjoy it.
bake a cake: Heat the oven. Mix flour, sugar, eggs and butter. Pour the mix into a pan. Bake it for forty minutes. Let the cake cool and enjoy it.
bake bread: Mix flour, water, salt and yeast. Knead the dough. Let it rise for an hour. Heat the oven. Bake the bread until it is brown.
make pizza: Roll out the dough. Spread tomato sauce on it. Add cheese and what you like. Heat the oven. Bake the pizza until the cheese melts.
cook pasta: Boil a large pot of water. Add salt and the pasta. Stir it now and then. Cook it for ten minutes. Drain the pasta and serve it with sauce.
cook rice: Wash the rice. Put it into a pot with twice as much water. Bring it to the boil. Let it simmer for fifteen minutes. Stir it and serve it.
boil an egg: Put water into a pot. Bring it to the boil. Put the egg into the water. Wait seven minutes. Cool the egg with cold water and peel it.
make a salad: Wash the vegetables. Cut them into small pieces. Put them into a bowl. Add oil, vinegar and salt. Mix the salad and serve it.
make soup: Cut the vegetables. Heat some oil in a pot. Fry the vegetables for a while. Add water and salt. Let the soup cook for half an hour and serve it.
make pancakes: Mix flour, milk and eggs. Heat some butter in a pan. Pour in a little batter. Turn the pancake when it is golden. Serve it with sugar or fruit.
plant a tree: Choose a good place. Dig a deep hole. Put the young tree into the hole. Fill the hole with soil. Water the tree well.
plant a garden: Choose a sunny place. Dig up the soil. Put in the seeds. Water them every day. Pull out the weeds and watch the plants grow.
grow tomatoes: Put the seeds into small pots. Keep them warm and wet. Plant them in a sunny place. Water them every day. Pick the tomatoes when they are red.
learn a language: Learn the most common words. Practise a little every day. Listen to people who speak it. Speak it as often as you can. Read easy books in that language.
learn to swim: Find a good teacher. Get used to the water. Practise floating. Learn how to move your arms and legs. Practise every week.
learn to program: Choose a language such as Python. Write a small program. Read the programs of others. Fix your mistakes. Build something that you need.
learn to play guitar: Get a guitar and tune it. Learn three easy chords. Practise every day. Play a simple song. Play together with friends.
write a story: Think of a hero. Give the hero a problem. Write how the hero solves it. Read the story aloud. Correct the mistakes.
write a letter: Take a sheet of paper. Write the name of your friend. Write what you want to say. Sign your name. Put the letter into an envelope and send it.
write a book: Choose a topic that you love. Make a plan of the chapters. Write a little every day. Ask a friend to read it. Correct it and find a publisher.
read a book: Choose a book that you like. Find a quiet place. Read a few pages. Think about what you have read. Read on until the end.
draw a cat: Draw a circle for the head. Add two ears. Draw the eyes, the nose and the mouth. Draw the body and four legs. Add the tail and colour your cat.
draw a house: Draw a square. Draw a triangle on top of it for the roof. Add a door. Add two windows. Colour your house.
wash your hands: Wet your hands. Take some soap. Rub your hands for twenty seconds. Rinse off the soap. Dry your hands.
brush your teeth: Put toothpaste on the brush. Brush all your teeth for two minutes. Spit out the foam. Rinse your mouth. Clean the brush.
clean your room: Pick up the things on the floor. Put each thing in its place. Wipe the dust off. Sweep the floor. Open the window for fresh air.
wash a car: Rinse the car with water. Wash it with soap and a sponge. Clean the wheels. Rinse off the soap. Dry the car with a cloth.
wash the dishes: Fill the sink with warm water. Add some soap. Wash each dish with a sponge. Rinse the dishes. Dry them with a towel.
fix a flat tire: Take the wheel off. Find the hole in the tube. Glue a patch on the hole. Put the wheel back on. Pump up the tire.
ride a bike: Put on a helmet. Sit on the bike and hold the bars. Push off with one foot. Pedal and look ahead. Use the brakes to stop.
fall asleep: Put away your phone. Make the room dark and quiet. Lie down and relax. Breathe slowly. Think of something nice and close your eyes.
be happy: Spend time with friends. Sleep enough. Move your body every day. Do things that you love. Be kind to others.
make a friend: Smile and say hello. Ask about the other person. Listen well. Do something together. Be kind and keep your promises.
save money: Write down what you spend. Make a plan for the month. Buy only what you need. Put some money aside first. Look at your plan every week.
find a job: Write down what you can do. Write a short CV. Look for jobs that you like. Send your letter to them. Prepare well for the talk.
study for a test: Make a plan. Read your notes. Write down the main points. Test yourself. Sleep well before the test.
lose weight: Eat more vegetables. Eat less sugar. Drink water. Move your body every day. Sleep enough and be patient.
stay healthy: Eat fruit and vegetables. Drink enough water. Move your body every day. Sleep eight hours. See a doctor when you feel sick.
train a dog: Get some small treats. Say a short command. Show the dog what to do. Give a treat when it does it. Practise every day.
take care of a cat: Give it food and water. Clean its box every day. Play with it. Brush its fur. Take it to the vet once a year.
build a snowman: Roll a big ball of snow. Roll a second ball and put it on top. Add a small ball for the head. Use a carrot as the nose. Add eyes and a hat.
make a fire: Find a safe place. Collect dry wood. Put small sticks on some paper. Light the paper. Add larger wood and watch the fire.
build a website: Choose a name for it. Make a plan of the pages. Write the text. Build the pages with HTML. Put them on a server and test them.
train a model: Collect good data. Choose a small model. Train it on the data. Test it on data that it has not seen. Fix what is wrong and train again.
start a company: Find a good idea. Ask people if they need it. Make a plan. Build a first version. Sell it and listen to your customers.
send an email: Open your mail program. Write the address of the person. Write a short subject. Write your message. Click on send.
plan a trip: Choose where to go. Set a budget. Book a place to sleep. Pack your bag. Check the weather and go.
pack a bag: Write a list of what you need. Put in the heavy things first. Roll your clothes. Put small things into the gaps. Check your list and close the bag.
tie your shoes: Cross the two laces. Pull one through under the other. Make a loop with one lace. Wrap the other lace around it. Pull the second loop through and make it tight.
make lemonade: Squeeze three lemons. Add some sugar. Add a litre of cold water. Stir it well. Add ice and enjoy it.
make a paper plane: Fold the paper in half. Open it again. Fold the top corners to the middle. Fold it in half and fold down the wings. Throw your plane.
""")}

# Tasks without steps of their own; they get the general plan below.
OTHER_TASKS = _words("""build a boat, build a robot, paint a wall, make a film, sing a song, learn to dance, win a game, climb a mountain,
build a bridge, catch a fish, make a kite, write a song, run a marathon, make a chair, build a table, sell a car, buy a house, find a cat,
become a doctor, become a teacher, get rich, organise a party, make ice cream, learn to cook, learn chess, cross a river, fly a kite,
move to a new city, make a video game, repair a clock, build a treehouse, make a mask, start a band, learn physics, visit the moon""")
GENERAL_STEPS = ["Learn about it and make a plan.", "Get everything that you need.", "Start with a small part.", "Ask for help when you are stuck.",
                 "Finish the work and check the result."]

JOKES = _lines("""
Why did the chicken cross the road? To get to the other side!
What do you call a sleeping dinosaur? A dino-snore!
Why was six afraid of seven? Because seven ate nine!
What do you call cheese that is not yours? Nacho cheese!
Why did the computer go to the doctor? It had a virus!
What is orange and sounds like a parrot? A carrot!
Why do bees have sticky hair? Because they use honeycombs!
What do you call a bear with no teeth? A gummy bear!
""")

FUN_FACTS = _lines("""
An octopus has three hearts.
Honey never goes bad.
A day on Venus is longer than its year.
Bananas are berries, but strawberries are not.
Sea otters hold hands when they sleep.
A snail can sleep for three years.
""")

FIRST_NAMES = _words("""
Aaron, Abby, Abdul, Abigail, Ada, Adam, Adele, Adrian, Adriana, Agnes, Ahmed, Aidan, Aisha, Alan, Albert, Alejandro, Alex, Alexa, Alexander,
Alexandra, Alexis, Alfred, Alice, Alicia, Alina, Alison, Amanda, Amara, Amber, Amelia, Amir, Amy, Ana, Anders, Andrea, Andreas, Andrei, Andrew,
Andy, Angel, Angela, Anika, Anita, Anja, Ann, Anna, Anne, Annika, Anthony, Anton, Antonio, Anya, April, Archie, Ari, Ariana, Arjun, Arne, Arthur,
Arun, Asha, Ashley, Astrid, Audrey, August, Aurora, Ava, Axel, Barbara, Barry, Bart, Basil, Beatrice, Becky, Bella, Ben, Benjamin, Bernard, Beth,
Bettina, Betty, Bianca, Bill, Billy, Bjorn, Bob, Bobby, Boris, Brad, Brandon, Brenda, Brian, Bridget, Brigitte, Bruce, Bruno, Caleb, Camila, Carl,
Carla, Carlos, Carmen, Carol, Caroline, Carter, Catherine, Cathy, Cecilia, Celine, Chad, Charles, Charlie, Charlotte, Chen, Chiara, Chloe, Chris,
Christian, Christina, Christine, Christoph, Cindy, Claire, Clara, Claude, Claudia, Clement, Cleo, Clive, Colin, Connor, Conrad, Cora, Craig,
Cristina, Curtis, Cynthia, Daisy, Dan, Daniel, Daniela, Danny, Daphne, Darren, Dave, David, Dean, Deborah, Denise, Dennis, Derek, Diana, Diego,
Dieter, Dimitri, Dirk, Dmitri, Dominic, Don, Donald, Donna, Dora, Doris, Dorothy, Doug, Douglas, Duncan, Dylan, Ed, Eddie, Edgar, Edith, Edward,
Edwin, Eileen, Elaine, Eleanor, Elena, Eli, Elias, Elisa, Elise, Eliza, Elizabeth, Ella, Ellen, Ellie, Elliot, Elsa, Emil, Emilia, Emily, Emma,
Eric, Erica, Erik, Erin, Ernest, Esther, Ethan, Eugene, Eva, Evan, Eve, Evelyn, Faith, Fatima, Felicia, Felix, Fernando, Filip, Finn, Fiona,
Flora, Florence, Florian, Frances, Francesca, Francis, Frank, Franz, Fred, Freddie, Frida, Fritz, Gabriel, Gabriela, Gareth, Gary, Gavin, Gemma,
George, Georgia, Gerald, Gerard, Gerd, Gina, Giovanni, Giulia, Glen, Gloria, Gordon, Grace, Graham, Grant, Greg, Greta, Gudrun, Guido, Gustav, Guy,
Hamza, Hana, Hanna, Hannah, Hannes, Hans, Harald, Harold, Harriet, Harry, Harvey, Hasan, Hazel, Heather, Heidi, Heinrich, Helen, Helena, Helga,
Henrik, Henry, Herbert, Hilda, Hiro, Holly, Hope, Horst, Howard, Hugh, Hugo, Ian, Ibrahim, Ida, Igor, Ilse, Imran, Ina, Ines, Inga, Ingrid, Irene,
Iris, Irma, Isaac, Isabel, Isabella, Isla, Ivan, Ivy, Jack, Jackie, Jacob, Jake, Jakob, James, Jamie, Jan, Jana, Jane, Janet, Janice, Jasmine,
Jason, Javier, Jay, Jean, Jeff, Jenna, Jennifer, Jenny, Jens, Jeremy, Jerry, Jess, Jesse, Jessica, Jill, Jim, Jimmy, Jo, Joan, Joanna, Joe, Joel,
Johan, Johanna, John, Johnny, Jon, Jonas, Jonathan, Jordan, Jorge, Jose, Josef, Joseph, Josephine, Josh, Joshua, Joy, Joyce, Juan, Judith, Judy,
Jules, Julia, Julian, Julie, Juliet, June, Jurgen, Justin, Kai, Kamal, Kara, Karen, Karim, Karin, Karl, Karla, Kate, Katherine, Kathleen, Katie,
Katja, Katrin, Kay, Keith, Kelly, Ken, Kenji, Kenneth, Kerry, Kevin, Khalid, Kim, Kira, Kirsten, Klaus, Kofi, Konrad, Kristin, Kumar, Kurt, Kyle,
Lana, Lara, Lars, Laura, Lauren, Laurence, Lea, Leah, Lee, Lena, Leo, Leon, Leonard, Leonie, Leroy, Leslie, Lewis, Lia, Liam, Lily, Lina, Linda,
Lisa, Liz, Logan, Lola, Lorenzo, Lori, Lotte, Louis, Louise, Luca, Lucas, Lucia, Lucy, Luis, Luisa, Luke, Luna, Lydia, Lynn, Mabel, Madison, Magda,
Maggie, Malcolm, Malik, Manfred, Manuel, Mara, Marc, Marcel, Marco, Marcus, Margaret, Maria, Mariam, Marie, Marina, Mario, Marion, Marius, Mark,
Markus, Marlene, Marta, Martha, Martin, Martina, Marvin, Mary, Mason, Mateo, Mats, Matt, Matthew, Maud, Maureen, Maurice, Max, Maxim, May, Maya,
Megan, Mehmet, Mei, Melanie, Melissa, Mia, Michael, Michelle, Miguel, Mika, Mike, Mila, Milan, Millie, Milo, Mina, Mira, Miriam, Mitch, Mohamed,
Moira, Molly, Mona, Monica, Monika, Moritz, Moses, Muhammad, Mustafa, Nadia, Nadine, Naomi, Natalia, Natalie, Natasha, Nathan, Neil, Nell, Nelson,
Nia, Nick, Nicola, Nicole, Niels, Niklas, Nikolai, Nils, Nina, Noah, Noel, Nora, Norman, Odin, Olaf, Ole, Oleg, Olga, Oliver, Olivia, Omar, Oscar,
Otto, Owen, Pablo, Pam, Pamela, Paolo, Pascal, Patricia, Patrick, Paul, Paula, Pavel, Pearl, Pedro, Peggy, Penny, Pete, Peter, Petra, Phil, Philip,
Phoebe, Pia, Pierre, Pippa, Polly, Priya, Quentin, Rachel, Rafael, Rahul, Raj, Ralf, Ralph, Ramona, Raphael, Ravi, Ray, Raymond, Rebecca, Regina,
Remy, Rene, Renate, Rhys, Ricardo, Richard, Rick, Ricky, Rita, Rob, Robert, Roberta, Roberto, Robin, Roger, Roland, Rolf, Roman, Ron, Ronald, Rosa,
Rosalind, Rose, Rosie, Ross, Rowan, Roy, Ruby, Rudolf, Rupert, Russell, Ruth, Ryan, Sabine, Sabrina, Sadie, Saeed, Sally, Salma, Sam, Samantha,
Samir, Samuel, Sandra, Sara, Sarah, Sasha, Saskia, Scott, Sean, Sebastian, Selena, Selma, Serena, Sergei, Seth, Shane, Shannon, Sharon, Sheila,
Shirley, Sidney, Sienna, Sigrid, Silke, Silvia, Simon, Simone, Sofia, Sonja, Sonya, Sophia, Sophie, Stan, Stefan, Stella, Stephanie, Stephen,
Steve, Steven, Stuart, Sue, Sumi, Summer, Susan, Susanne, Suzy, Sven, Sylvia, Tamara, Tanja, Tanya, Tara, Tariq, Tatiana, Ted, Teresa, Terry, Tess,
Theo, Theodor, Theresa, Thomas, Tiffany, Till, Tilly, Tim, Timothy, Tina, Tobias, Todd, Tom, Tommy, Toni, Tony, Tracy, Trevor, Tristan, Tyler, Udo,
Ulrich, Uma, Ursula, Uwe, Valentin, Valerie, Vanessa, Vera, Veronica, Vic, Victor, Victoria, Viktor, Vincent, Violet, Virginia, Vivian, Vlad,
Walter, Wanda, Warren, Wayne, Wendy, Werner, Wilhelm, Will, William, Willy, Wolfgang, Xavier, Yara, Yasmin, Yuki, Yusuf, Yvonne, Zach, Zara, Zoe
""")

CITIES = _words("""Paris, London, Berlin, Rome, Madrid, Vienna, Prague, Warsaw, Lisbon, Dublin, Oslo, Helsinki, Athens, Budapest, Moscow, Tokyo,
Beijing, Seoul, Delhi, Mumbai, Bangkok, Jakarta, Sydney, Melbourne, Perth, Cairo, Nairobi, Lagos, Accra, Cape Town, New York, Boston, Chicago,
Dallas, Houston, Denver, Seattle, Miami, Toronto, Montreal, Vancouver, Lima, Bogota, Santiago, Munich, Hamburg, Cologne, Frankfurt, Leipzig,
Dresden, Stuttgart, Bremen, Zurich, Geneva, Basel, Milan, Naples, Turin, Venice, Florence, Lyon, Nice, Bordeaux, Lille, Barcelona, Valencia,
Porto, Krakow, Ghent, Antwerp, Rotterdam, Utrecht, Manchester, Liverpool, Leeds, Bristol, York, Oxford, Cambridge, Glasgow, Edinburgh, Cardiff,
Belfast, Cork, Galway, Bergen, Gothenburg, Malmo, Aarhus, Riga, Vilnius, Tallinn, Kyiv, Odessa, Istanbul, Izmir, Osaka, Kyoto, Shanghai, Hanoi""")
COLOURS = _words("""red, blue, green, yellow, orange, purple, pink, black, white, brown, grey, gold, silver, turquoise, violet, beige, teal, magenta,
navy, indigo, cyan, maroon, olive, lime, crimson, lavender""")
FOODS = _words("""pizza, pasta, rice, bread, cheese, chocolate, soup, salad, sushi, curry, tacos, pancakes, ice cream, cake, apples, bananas,
strawberries, potatoes, fish, chicken, noodles, dumplings, burgers, fries, lasagna, waffles, cookies, mango, grapes, cherries, carrots, tomatoes,
mushrooms, spinach, beans, toast, honey, yoghurt, popcorn, pie, falafel, hummus, paella, risotto, ramen, stew, steak, pretzels, muffins, olives""")
PETS = _words("cat, dog, rabbit, hamster, parrot, turtle, goldfish, horse, mouse, snake, lizard, guinea pig, rat, canary, goat, duck, pony, ferret")
PET_NAMES = _words("""Rex, Bella, Max, Luna, Charlie, Lucy, Milo, Daisy, Buddy, Coco, Rocky, Ruby, Felix, Tiger, Simba, Nala, Leo, Oscar, Ginger,
Shadow, Smokey, Fluffy, Spot, Snowy, Pepper, Biscuit, Cookie, Teddy, Toby, Bruno, Balu, Momo, Kiki, Fido, Lassie, Whiskers, Patch, Pebbles, Oreo,
Mittens, Socks, Waffles, Noodle, Peanut, Sparky, Bandit, Ziggy, Olive, Hazel, Willow""")
JOBS = _words("""teacher, doctor, nurse, cook, driver, farmer, painter, writer, baker, pilot, lawyer, engineer, gardener, singer, dancer, student,
plumber, carpenter, programmer, scientist, musician, waiter, builder, designer, dentist, firefighter, librarian, journalist, actor, tailor""")
HOBBIES = _words("""reading, swimming, running, painting, drawing, dancing, singing, cooking, baking, hiking, cycling, fishing, gardening, knitting,
chess, football, tennis, yoga, climbing, sailing, skiing, photography, gaming, writing, surfing, judo, basketball, pottery, sewing, birdwatching""")

STORY_HEROES = _words("""cat, dog, rabbit, fox, bear, mouse, bird, horse, frog, owl, duck, lion, elephant, dragon, robot, girl, boy, king, queen, prince,
princess, wizard, farmer, sailor, knight, monkey, turtle, penguin, squirrel, hedgehog, wolf, tiger, fish, whale, bee, cow, pig, goat, unicorn, star""")

# Things asked about in ways that the tables do not answer.
ATTRIBUTES = _words("""population, area, president, prime minister, king, queen, mayor, price, weight, age, height, length, phone number, address, history,
oldest city, second largest city, national anthem, national dish, number of people, birthday, email address, password, temperature, owner, size""")

SYSTEM_PROMPTS = _lines("""
You are a helpful assistant.
You are a helpful assistant
You are a helpful, respectful and honest assistant.
You are a friendly assistant.
You are Mimus, a helpful assistant.
You are Mimus.
You are a helpful AI assistant.
You are a chatbot.
You are a helpful chatbot. Answer briefly.
Be brief.
Answer in one sentence.
Answer briefly and politely.
Keep your answers short.
You answer questions.
You are a kind teacher who explains things in simple words.
You are a helpful assistant. Answer the user's questions.
You are an AI assistant that helps people find information.
You are a smart assistant. Always be polite.
You are a large language model. Follow the user's instructions carefully.
You are a friendly chatbot who always responds in a polite way.
Use short sentences.
Please answer honestly. If you do not know something, say so.
You are an expert. Think carefully before you answer.
You are a customer service agent.
You are a pirate.
Talk to the user.
This is a conversation between a user and an assistant.
A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the user's questions.
Respond in English.
Do not use emojis. Be concise and precise.
You are a helpful coding assistant.
Complete the user's request.
""")

# Pieces of questions that no table answers, and of remarks.
OFF_VERBS = _words("""work, sing, jump, melt, grow, dance, sleep, break, smell, burn, move, talk, shine, float, spin, swim, rust, explode, live so long, look so strange""")
OFF_ADJECTIVES = _words("""oldest, best, worst, strangest, newest, cheapest, most expensive, most famous, most beautiful, loudest, heaviest, rarest, funniest, richest, longest, tallest, smallest""")
OFF_NOUNS = _words("""phone, film, song, restaurant, hotel, shop, street, bridge, castle, museum, church, castle, ship, team, player, singer, band, painting, dance, car, laptop, game, school, university,
company, newspaper, museum, park, train, airport, insect, dish, drink, holiday, hat, statue, cave, road, tower, theatre, village, farm, tunnel, table, spoon, pillow, engine, battery, magnet, mirror, wheel""")
ADJECTIVES = _words("red, blue, green, big, small, old, new, fast, slow, nice, happy, sad, little, brown, quick, lazy, cold, warm, round, quiet, black, white, yellow, young, tall")
THINGS = _words("car, house, bike, phone, hat, coat, door, room, bag, chair, hair, shirt, umbrella, cup, boat, computer, bed, garden, jacket, scarf")
PLACES = _words("school, the park, the beach, the shop, work, the zoo, the cinema, the forest, the city, the market, the library, the museum, a party, the mountains, the sea")
PEOPLE_VERBS = _words("saw, liked, found, bought, painted, lost, heard, drew, met, fed, chased, carried, watched, helped")
