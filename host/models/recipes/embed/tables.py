"""Everyday text: scenes, requests and topics. Written for this recipe; nothing is copied from another data set.

A leading `~` marks a wording that is held out: it is used for the evaluation files only and never in training.
"""


def _lines(text):
    return [line.strip() for line in text.strip().splitlines() if line.strip()]


def _classes(text):
    """One class of interchangeable wordings a line."""
    return [tuple(part.strip() for part in line.split("|")) for line in _lines(text)]


# Who a scene is about. The first wording names the class; all words of a class count as the same.
ANIMALS = _classes("""
cat|kitten|kitty|tomcat
dog|puppy|hound|pup
bird|songbird|little bird
horse|pony|mare|stallion
rabbit|bunny|hare
mouse|little mouse|field mouse
cow|calf|bull
sheep|lamb|ewe
duck|duckling|mallard
fox|red fox|vixen
bear|brown bear|bear cub
monkey|ape|chimp
pig|piglet|hog
frog|toad|little frog
snake|viper|serpent
elephant|young elephant|elephant calf
lion|lioness|lion cub
owl|barn owl|old owl
squirrel|red squirrel|chipmunk
goat|billy goat|kid goat
""")
PEOPLE = _classes("""
man|guy|gentleman|fellow
woman|lady|young woman
boy|little boy|lad|schoolboy
girl|little girl|schoolgirl|young girl
child|kid|toddler|youngster
baby|infant|newborn
old man|elderly man|grandfather|grandpa
old woman|elderly woman|grandmother|grandma
teacher|schoolteacher|instructor
doctor|physician|medic
police officer|policeman|cop
farmer|farmhand|farm worker
cook|chef|kitchen chef
student|pupil|college student
soldier|trooper|army man
musician|performer|band member
worker|labourer|workman
tourist|traveller|sightseer
father|dad|daddy
mother|mum|mom
""")
# What an animal does at a place: present | continuous, alternating.
ANIMAL_ACTS = _classes("""
sits|is sitting|rests|is resting|lies|is lying down
sleeps|is sleeping|naps|is taking a nap|dozes|is fast asleep
plays|is playing|romps|is frolicking|is having fun
runs|is running|races|is dashing|sprints
jumps|is jumping|leaps|is hopping|hops
eats|is eating|feeds|is having a meal|is munching its food
drinks water|is drinking water|laps up water|is having a drink
hides|is hiding|keeps out of sight|is concealed
stands|is standing|stands still|is standing quietly
looks for food|is searching for food|hunts for something to eat|is foraging
makes a noise|is making noise|cries loudly|is being loud
walks around|is walking around|wanders about|is strolling about
""")
PLACES = _classes("""
on the rug|on the mat|on a carpet|on the mat|on a rug
on the sofa|on the couch|on a settee
in the garden|in the back yard|in the yard
in the forest|in the woods|among the trees
on the bed|on a mattress|on top of the bed
under the table|below the table|beneath a table
by the river|beside the stream|on the river bank
on the roof|on top of the house|up on a rooftop
in the street|on the road|in the middle of the street
at the beach|by the sea|on the sandy shore
in the kitchen|inside the kitchen|on the kitchen floor
in a field|in the meadow|out on the grass
in the barn|in the stable|inside a shed
in the park|at a public park|in the city park
by the window|next to the window|near a window
in the snow|on snowy ground|out in the snow
in a box|inside a crate|in a cardboard box
on the stairs|on the steps|on a staircase
""")
# What people do.
HUMAN_ACTS = _classes("""
plays the guitar|is playing a guitar|strums a guitar|makes music on a guitar
plays the piano|is playing the piano|sits at the piano making music|performs a tune on the piano
sings a song|is singing|sings out loud|is performing a song
reads a book|is reading|is absorbed in a novel|sits with a book
writes a letter|is writing a letter|puts words on paper|is penning a note
cooks dinner|is cooking a meal|prepares food|is making supper
bakes bread|is baking a loaf|makes bread in the oven|is baking
cuts vegetables|is chopping vegetables|slices carrots and onions|is slicing vegetables
drives a car|is driving a car|is at the wheel of a car|steers an automobile
rides a bicycle|is riding a bike|cycles along|is out cycling
rides a horse|is on horseback|is riding a horse|gallops on a horse
runs fast|is jogging|goes for a run|is running
swims in the pool|is swimming|goes for a swim|does laps in the water
plays football|is playing soccer|kicks a ball around|is in a football match
plays chess|is playing chess|sits at a chess board|is in a game of chess
climbs a mountain|is climbing a cliff|goes up the rocks|is mountaineering
dances|is dancing|moves to the music|is doing a dance
paints a picture|is painting|works on a painting|puts paint on a canvas
takes a photo|is taking a picture|photographs something|is using a camera
talks on the phone|is making a phone call|speaks into a telephone|is calling somebody
types on a computer|is working on a laptop|uses a keyboard|is sitting at a computer
watches television|is watching TV|looks at the TV screen|is viewing a show
drinks coffee|is having a coffee|sips a cup of coffee|enjoys an espresso
eats a pizza|is eating pizza|has a slice of pizza|bites into a pizza
washes the dishes|is doing the washing up|cleans the plates|is cleaning dishes
cleans the room|is tidying up|sweeps the floor|is doing housework
repairs a car|is fixing an engine|mends a broken vehicle|works on a motor
builds a wall|is laying bricks|puts up a brick wall|is doing masonry
waters the flowers|is watering plants|gives the plants water|tends the flower bed
catches a fish|is fishing|goes angling|holds a fishing rod
sleeps|is sleeping|is fast asleep|takes a nap
cries|is crying|sheds tears|is weeping
laughs|is laughing|giggles|is cracking up
buys groceries|is shopping for food|goes to the supermarket|is at the grocery store
waits for the bus|is waiting at the bus stop|stands at a bus stop|is expecting the bus
takes the train|is riding a train|travels by rail|sits in a train
flies a kite|is flying a kite|lets a kite rise in the wind|plays with a kite
shouts|is shouting|yells loudly|is screaming
carries a heavy bag|is carrying luggage|lugs a suitcase|hauls a big bag
plants a tree|is planting a tree|puts a young tree into the ground|digs a hole for a tree
""")
# The frames of a scene; {a} who, {v} what, {p} where.
SCENES_WITH_PLACE = ["a {a} {v} {p}", "the {a} {v} {p}", "{p}, a {a} {v}", "{p} the {a} {v}", "there is a {a} that {v} {p}", "~one {a} {v} {p}", "~you can see a {a} that {v} {p}"]
SCENES = ["a {a} {v}", "the {a} {v}", "there is a {a} who {v}", "some {a} {v}", "here a {a} {v}", "~one {a} {v}", "~you can see a {a} who {v}"]

# Questions to a help desk: wordings of one wish, then `=>`, then an answer.
REQUESTS = _lines("""
How do I reset my password? / I forgot my password. / I cannot remember my login password. / Help me get a new password. / ~My password is lost, what now? => To set a new password, open the sign-in page and choose "forgot password".
How can I change my email address? / I want to use another email for my account. / Update the email of my account. / ~Can I put a new email address on my account? => You can change your email address in the account settings.
How do I delete my account? / I want to close my account. / Please remove my account for ever. / ~Can you erase my account? => To close your account, go to settings and press delete account.
Where is my order? / When will my package arrive? / My parcel has not come yet. / Track my delivery. / ~I am still waiting for my package. => You can follow your parcel with the tracking number in our email.
How do I return a product? / I want to send this item back. / Can I give back what I bought? / ~I would like to return something that I bought. => Items can be sent back within 30 days with the label in the box.
How long does a refund take? / When do I get my money back? / I am waiting for my refund. / ~How many days until my money is back? => Money is paid back within five days after we receive the item.
Can I cancel my order? / I want to stop my purchase. / Please cancel what I ordered. / ~I changed my mind about my order. => An order can be cancelled until it has left our warehouse.
Which payment methods do you accept? / Can I pay with a credit card? / How can I pay? / ~What ways to pay do you offer? => We take credit cards, bank transfers and cash on delivery.
My card was declined. / The payment did not work. / Why can I not pay with my card? / ~My payment card is not accepted. => If your card is declined, ask your bank or use another card.
How do I contact support? / I want to talk to a human. / What is your phone number? / Can I call customer service? / ~How can I speak with somebody of support? => Our support team answers calls from nine to five on weekdays.
What are your opening hours? / When do you open? / Are you open on Sunday? / What time does the shop close? / ~At what time does the store open? => The shop is open from nine in the morning to eight in the evening, Monday to Saturday.
Do you ship abroad? / Can you send it to another country? / Is international shipping possible? / ~Do you deliver to foreign countries? => We deliver to most countries for an extra fee.
How much is shipping? / What does delivery cost? / Is delivery free? / ~What do I pay for shipping? => Delivery costs five euros and is free above fifty euros.
The item arrived broken. / My product was damaged on the way. / What I received is defective. / ~The thing I ordered came damaged. => If a product arrives damaged, send us a photo and we replace it.
I received the wrong item. / You sent me another product. / This is not what I ordered. / ~I got a different item than I ordered. => When a wrong item was sent, we exchange it at our cost.
How do I install the app? / Where can I download the program? / Set up the software on my phone. / ~How do I get the app onto my phone? => Download the app from the store and open it to set it up.
The app keeps crashing. / The program closes by itself. / Your software stops working all the time. / ~The app crashes again and again. => If the app crashes, update it and restart your phone.
How do I update the software? / Get the newest version of the program. / Is there an update? / ~How can I install the latest version of the software? => The newest version is installed from the update menu.
My internet is slow. / The connection is very slow today. / Why do web pages load so slowly? / ~The internet connection is too slow. => Restart the router if the connection is slow.
The wifi does not work. / I cannot connect to the wireless network. / There is no wifi signal. / ~My wireless network is not working. => Check that the wireless network is switched on and enter its key again.
My phone does not charge. / The battery will not charge. / Charging my phone does not work. / ~The battery of my phone is not charging. => If a phone does not charge, clean its port and try another cable.
The printer does not print. / Nothing comes out of my printer. / My printer is not working. / ~I cannot print anything on my printer. => Check the paper and the ink when a printer prints nothing.
The screen is black. / My monitor shows nothing. / There is no picture on the display. / ~My display stays black. => A dark display often means that its cable is loose.
How do I take a screenshot? / Save a picture of my screen. / Capture what is on the display. / ~How can I capture my screen? => Press power and volume down together to capture the screen.
How do I back up my data? / Make a copy of my files. / I want to save my files somewhere safe. / ~How can I make a backup of my files? => Copy your files to an external disk or to the cloud every week.
I deleted a file by mistake. / Can I get a lost file back? / How do I restore deleted files? / ~How can I recover a file that I deleted? => Deleted files stay in the bin for thirty days.
There is a virus on my computer. / My laptop has malware. / I think that I was hacked. / ~My computer has caught a virus. => Run a scan with the antivirus program to remove malware.
How do I book a room? / I want to reserve a hotel room. / Make a reservation for two nights. / ~Can I reserve a room for two nights? => Rooms are booked on our page with the date of arrival.
What time is check-in? / When can I get into my room? / How early can we arrive at the hotel? / ~From when on can I check in? => Guests can check in from three in the afternoon.
Is breakfast included? / Do you serve breakfast? / Does the price contain breakfast? / ~Is breakfast part of the price? => Breakfast is included and served from seven to ten.
Can I bring my dog? / Are pets allowed? / Do you accept animals in the rooms? / ~May I come with my dog? => Small pets are welcome for a small fee.
Is there parking? / Where can I leave my car? / Do you have a car park? / ~Can I park my car there? => Guests park free of charge behind the building.
How do I get to the airport? / Which train goes to the airport? / What is the best way to the airport? / ~How can I reach the airport? => A train to the airport leaves every twenty minutes.
My flight was cancelled. / The airline cancelled my plane. / What can I do about a cancelled flight? / ~They cancelled the flight I booked. => For a cancelled flight you may choose a refund or another plane.
My luggage is lost. / The airline lost my suitcase. / My bags did not arrive. / ~My suitcase has gone missing. => Report lost luggage at the desk beside the belt.
Do I need a visa? / Is a visa necessary for my trip? / Which papers do I need to enter the country? / ~Must I have a visa to travel there? => Travellers from most countries need a visa for stays above ninety days.
I would like to book a table. / Reserve a table for four tonight. / Do you have a free table for dinner? / ~Can I reserve a table for tonight? => Tables are reserved by phone at least two hours before dinner.
Do you have vegetarian food? / Is there a dish without meat? / What can a vegetarian eat here? / ~Which meals have no meat? => Three of our dishes are without meat.
I am allergic to nuts. / Does this contain peanuts? / Are there nuts in the cake? / ~I must not eat nuts. => Dishes with nuts are marked with a star.
The bill is wrong. / There is a mistake in my invoice. / You charged me too much. / ~My invoice is not right. => We correct a wrong invoice within two days.
I need a copy of my invoice. / Please send me the receipt. / Where can I find my bill? / ~Can you send me my invoice again? => All invoices can be downloaded from your account.
How do I open a bank account? / I want to become a customer of the bank. / Start a new account at the bank. / ~What must I do to open an account with the bank? => To open an account bring your passport to a branch.
My bank card was stolen. / Block my card please. / I lost my credit card. / ~Somebody stole my bank card. => Call us at once and we block the card.
How do I get a loan? / Can I borrow money for a house? / I need a mortgage. / ~I would like to take out a loan. => The bank lends money for a house for up to thirty years.
How do I save money? / Tips for spending less. / What can I do to save every month? / ~How can I put some money aside? => Write down what you spend and put some money aside each month.
How do I find a job? / I am looking for work. / Where can I search for jobs? / ~I need a new job. => Open jobs are listed on our career page.
How do I write a good application? / Help me with my CV. / What belongs into a resume? / ~How can I improve my CV? => A good CV is one page long and lists your latest job first.
I have a headache. / My head hurts. / What helps against a headache? / ~I have got pain in my head. => For a headache drink water and rest in a dark room.
I have a cold. / My nose is running and I cough. / What helps against a cold? / ~I have caught a cold. => With a cold, stay in bed and drink hot tea.
I have a fever. / My temperature is high. / What should I do about a fever? / ~My body temperature is too high. => See a doctor when a fever lasts three days.
My back hurts. / I have pain in my back. / What helps against back pain? / ~There is a pain in my back. => Gentle exercise often helps against back pain.
I cannot sleep at night. / How do I fall asleep faster? / I lie awake for hours. / ~It is hard for me to fall asleep. => Go to bed at the same time and leave the phone outside.
How do I lose weight? / I want to be slimmer. / Which diet works? / ~How can I get slimmer? => To lose weight, eat less sugar and move more.
How can I get fit? / I want to build muscle. / Which exercises make me strong? / ~What makes my muscles stronger? => Train your whole body three times a week.
How do I stop smoking? / I want to give up cigarettes. / Help me quit smoking. / ~What can help me to quit cigarettes? => Set a date to quit and throw all cigarettes away.
I need an appointment with the doctor. / When can I see a doctor? / Book a visit at the clinic. / ~Can I get a doctor's appointment? => The clinic gives appointments by phone every morning.
My tooth hurts. / I have a toothache. / I need a dentist. / ~There is a pain in one of my teeth. => The dentist sees patients with strong pain on the same day.
How do I clean a carpet? / Remove a stain from the rug. / There is red wine on my carpet. / ~How can I get a stain out of the carpet? => Sprinkle salt on the stain and rinse it with cold water.
The sink is blocked. / Water does not run off in the kitchen. / How do I unclog a drain? / ~My drain is clogged. => A blocked drain is freed with baking soda and hot water.
The heating does not work. / It is cold in my flat. / The radiator stays cold. / ~My radiator does not get warm. => Let the air out of a radiator that stays cold.
The light bulb is broken. / How do I change a lamp? / The lamp does not work any more. / ~I need to replace a light bulb. => Switch off the power before you change a bulb.
I locked myself out. / I lost my house key. / The door is locked and my key is inside. / ~I cannot get into my house without a key. => A locksmith opens the door day and night.
My neighbours are too loud. / There is noise next door every night. / What can I do about loud music from above? / ~The people next door make too much noise. => Talk to your neighbours first and then to the landlord.
How do I rent a flat? / I am looking for an apartment. / Where do I find a place to live? / ~I want to rent an apartment. => To rent a flat you need proof of your income.
I am moving to a new house. / Help me with my move. / Which firm carries furniture to a new home? / ~We move to another house soon. => Order boxes four weeks before you move.
How do I train my dog? / My puppy does not obey. / Teach a dog to sit. / ~How can I teach my puppy to obey? => Reward a puppy at once when it obeys.
My cat does not eat. / The kitten refuses its food. / Why will my cat not eat anything? / ~My kitten is not eating. => Take a cat that eats nothing for a day to the vet.
How often should I water my plants? / My plants are drying out. / When do flowers need water? / ~How much water do my plants need? => Water house plants when the top of the soil is dry.
When should I plant tomatoes? / How do I grow tomatoes? / Growing tomatoes in the garden. / ~What is the right time to plant tomatoes? => Tomatoes are planted outside after the last frost.
How do I bake a cake? / I need a recipe for a cake. / Which ingredients are in a simple cake? / ~Can you give me a cake recipe? => A simple cake is made of flour, eggs, sugar and butter.
How do I cook rice? / Rice always burns in my pot. / How much water does rice need? / ~What is the right way to cook rice? => Cook one cup of rice with two cups of water.
How long do I boil an egg? / Make a soft egg. / When is an egg hard? / ~How many minutes does an egg need? => A soft egg boils for five minutes, a hard one for nine.
What can I cook tonight? / I need an idea for dinner. / What should we eat this evening? / ~Give me an idea for tonight's dinner. => For a quick dinner make pasta with tomatoes and garlic.
How do I learn a language? / I want to speak Spanish. / What is the fastest way to learn a foreign language? / ~How can I get better at a foreign language? => Learn a language by speaking it a little every day.
How do I learn to code? / I want to become a programmer. / Which programming language should I learn first? / ~How can I start with programming? => Begin programming with small projects in Python.
I am nervous before my exam. / How do I prepare for a test? / I have an important exam tomorrow. / ~How should I study for my exam? => Study in short blocks and sleep well before an exam.
My homework is too hard. / Help me with my school work. / I do not understand my maths exercise. / ~Can you help me with homework? => Ask your teacher when an exercise is too hard.
What should I give her for her birthday? / I need a present for a friend. / Ideas for a birthday gift. / ~I am looking for a birthday present. => A good gift is something that the person likes to do.
What should I wear to a wedding? / I am invited to a wedding. / Clothes for a marriage party. / ~Which clothes are right for a wedding? => Guests of a wedding wear a suit or a long dress.
These shoes are too small. / Do you have a bigger size? / I need the shoes in another size. / ~The shoes do not fit me. => Shoes can be exchanged for another size.
How do I use a discount code? / I have a voucher. / Where do I enter my coupon? / ~My coupon does not work. => Enter the code of your voucher before you pay.
How do I stop your emails? / I do not want the newsletter any more. / Unsubscribe me. / ~Please send me no more newsletters. => Every newsletter has a link at its end that stops it.
Is my data safe? / What do you do with my personal data? / Do you sell my information? / ~How do you protect my personal data? => We keep personal data encrypted and sell it to nobody.
Can I change the language of the page? / Show the website in English. / How do I switch to French? / ~I want the website in another language. => The language is chosen at the bottom of the page.
How do I turn on dark mode? / The screen is too bright at night. / Make the background black. / ~Can I switch to a dark background? => Dark mode is in the display settings.
Will it rain tomorrow? / What is the weather like? / Do I need an umbrella? / ~What is the forecast for tomorrow? => The forecast says rain tomorrow and sun at the weekend.
Where is the nearest hospital? / I need an ambulance. / There was an accident. / ~Somebody is hurt, where is a hospital? => In an emergency call the ambulance at once.
Where is the toilet? / I need to find a bathroom. / Is there a restroom here? / ~Can you show me the restroom? => The toilets are on the first floor beside the lift.
How do I get a library card? / I want to borrow books. / Can I join the library? / ~How can I become a member of the library? => A library card is free for pupils.
When does the next bus leave? / Bus times to the centre. / At what time does the bus go? / ~What time is the next bus? => The bus to the centre leaves every ten minutes.
How much is a ticket? / What does a ride cost? / The price of a train ticket. / ~What do I pay for a ticket? => A single ticket costs three euros.
My car does not start. / The engine will not turn on. / The battery of my car is empty. / ~I cannot start my car. => A car that does not start often has an empty battery.
I have a flat tyre. / How do I change a wheel? / My tire is broken. / ~There is no air in my tyre. => To change a wheel, loosen the bolts before you lift the car.
How do I get a driving licence? / I want to learn to drive. / What does a driver's license cost? / ~How can I get my driver's license? => For a driving licence you must pass two tests.
How do I recycle glass? / Where does old paper go? / Which bin is for plastic? / ~Into which bin do I put glass? => Glass goes into the green container and paper into the blue one.
How can I save energy? / My power bill is too high. / Tips for using less electricity. / ~How can I use less power? => Switch off devices that you do not use to save power.
""")

# Sentences of one topic: nearer to each other than to other topics, though they say different things.
TOPICS = {line.split(":", 1)[0]: [s.strip() for s in line.split(":", 1)[1].split("/")] for line in _lines("""
sport: The team won the match in the last minute. / The striker scored two goals. / Fans cheered in the stadium. / The coach praised his players. / She broke the record in the 100 metre race. / The tennis player lost the final. / The referee showed a red card. / ~The goalkeeper stopped a penalty in the match.
weather: It will be sunny and warm today. / Heavy rain is expected in the north. / A storm with strong wind is coming. / Snow fell during the night. / Thick fog covers the valley. / The temperature drops below zero. / Clouds hide the sun all day. / ~Strong wind and rain are expected tonight.
food: The soup needs more salt. / Fry the onions in butter. / The restaurant serves fresh fish. / We ate pasta with tomato sauce. / The bread smells wonderful. / Add two eggs and some sugar. / This cheese tastes great with wine. / ~Serve the fish with butter and fresh bread.
money: The bank raised its interest rates. / Prices went up by three percent. / Investors sold their shares. / The company made a large profit. / He saved money for a house. / Taxes will rise next year. / The stock market fell sharply. / ~Shares of the bank fell sharply.
health: The doctor gave her medicine. / The patient needs an operation. / Smoking is bad for your lungs. / The nurse took his temperature. / A vaccine protects against the virus. / He broke his leg. / Exercise is good for the heart. / ~The nurse gave the patient some medicine.
technology: The new phone has a better camera. / The computer needs more memory. / Programmers write code all day. / The robot moves by itself. / The software has a bug. / The website was offline for an hour. / The chip is smaller and faster. / ~The new computer has a faster chip.
politics: The president gave a speech. / Parliament voted on the new law. / The election takes place in May. / The minister resigned yesterday. / Voters want a change. / Two countries signed a treaty. / The government plans a reform. / ~The government lost the vote in parliament.
school: The pupils write a test. / The teacher explains the lesson. / Classes start at eight. / She studies biology at the university. / The homework was difficult. / He passed the exam. / The children learn to read. / ~The teacher gave the pupils homework.
travel: We flew to Spain for a week. / The hotel is near the beach. / The train was late. / Pack your suitcase and your passport. / The tourists visited a castle. / Our plane lands at noon. / The island has lovely bays. / ~We took a train to a hotel on the island.
music: The band played a new song. / She sings in a choir. / The concert was sold out. / He practises the violin every day. / The drummer lost the beat. / Their album was a success. / The orchestra played a symphony. / ~The singer and the band gave a concert.
animals: The lion hunts at night. / Birds build nests in spring. / Whales live in the ocean. / The zoo has a young elephant. / Wolves live in packs. / Bees collect nectar. / The snake shed its skin. / ~Wolves and lions hunt in packs.
space: The rocket flew to the moon. / Astronauts work in the station. / The telescope found a new planet. / A comet crossed the sky. / Stars are very far away. / The rover landed on Mars. / Gravity holds the planets. / ~The astronauts flew to a planet in a rocket.
law: The judge sent him to prison. / The police arrested a thief. / The lawyer defended her client. / The court heard the witnesses. / The crime was never solved. / The jury found him guilty. / Stealing is against the law. / ~The court found the thief guilty.
nature: The river flows into the sea. / Old trees grow in the forest. / Flowers bloom in spring. / The mountain is covered with ice. / The lake is deep and clear. / Leaves fall in autumn. / Waves hit the rocks. / ~A clear river flows through the old forest.
family: My sister has two children. / The parents love their son. / Our grandmother turned ninety. / The twins look alike. / My brother got married. / Uncle John visits us on Sundays. / The cousins play together. / ~Our parents visit my sister and her children.
home: The kitchen has a new oven. / We painted the bedroom blue. / The roof is leaking. / Put the chairs around the table. / The flat has three rooms. / The curtains are too long. / She bought a lamp for the living room. / ~The bedroom needs a new lamp and curtains.
work: The meeting starts at ten. / My boss gave me a raise. / She works in an office. / The deadline is on Friday. / Employees want shorter hours. / He wrote a report for his manager. / The firm hired ten people. / ~The boss wants the report before the meeting.
clothes: She wears a red dress. / These trousers are too short. / He bought new shoes. / A warm coat is good in winter. / The shirt has a hole. / Put on your hat and scarf. / The jacket is made of leather. / ~He wears a leather coat and new trousers.
cars: The car has a powerful engine. / Electric cars need charging stations. / He parked beside the road. / The brakes are worn out. / There was a traffic jam on the motorway. / Fill the tank with petrol. / The mechanic changed the tyres. / ~The mechanic repaired the brakes and the engine.
art: The painter mixed her colours. / The museum shows old statues. / He drew a portrait with a pencil. / The gallery sold the picture. / The sculpture is made of marble. / Her photographs hang on the wall. / The artist signed his work. / ~The artist showed her pictures in a gallery.
books: The novel has three hundred pages. / The author wrote a sequel. / I borrowed it from the library. / The poem is about love. / The story ends happily. / The first chapter is boring. / The publisher printed a new edition. / ~The author wrote the last chapter of the novel.
film: The actor won an award. / The movie was too long. / We went to the cinema. / The director shot the scene twice. / The series has a second season. / The film is based on a true story. / Her role was small. / ~The director made a movie with a famous actor.
history: The king ruled for forty years. / The war ended in a treaty. / Romans built roads and bridges. / The castle was destroyed in a battle. / Archaeologists found an old tomb. / The empire fell apart. / The revolution began in the capital. / ~The empire of the king fell in a war.
science: The scientist made an experiment. / Water is made of hydrogen and oxygen. / The theory explains the results. / Cells divide and grow. / The laboratory bought a microscope. / Atoms have a nucleus. / They measured the speed of light. / ~The experiment in the laboratory confirmed the theory.
""")}
